-- Saves a write whole, if the publisher still is where it was when the write was made.
-- KEYS[1]: the publisher's head, a hash whose fields say which writes were last; the other KEYS:
-- every key that is written. All are of one slot.
-- ARGV: channel and message; the number of fields of the head that change, and for each its name,
-- its value as it has to be (empty: none) and as it becomes; then each command as the number of its
-- words, and the words.
-- Returns 1 when it is saved, also when it was before: a write is sent again if its answer got lost.
-- Returns 0 when another write came first, and nothing was done.
local saved, due, at = true, true, 4
for _ = 1, tonumber(ARGV[3]) do
  local present = redis.call('HGET', KEYS[1], ARGV[at]) or ''
  due = due and present == ARGV[at + 1]
  saved = saved and present == ARGV[at + 2]
  at = at + 3
end
if saved then return 1 end
if not due then return 0 end
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, last))
  at = last + 1
end
at = 4
for _ = 1, tonumber(ARGV[3]) do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 2])
  at = at + 3
end
redis.pcall('PUBLISH', ARGV[1], ARGV[2]) -- without the right to, polling has to do
return 1
