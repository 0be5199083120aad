-- Runs several read commands atomically and returns their answers.
-- KEYS: every key that is read. ARGV: for each command the number of its words, and the words.
local answers, at = {}, 1
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  answers[#answers + 1] = redis.call(unpack(ARGV, at + 1, last))
  at = last + 1
end
return answers
