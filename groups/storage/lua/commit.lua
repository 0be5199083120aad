-- Saves a write completely, if the publisher's head has not changed since the write was computed.
-- KEYS[1]: the publisher's head, a hash whose fields contain the last writes; the other KEYS:
-- every key that is written. All keys are in one slot.
-- ARGV: channel and message to publish; the number of fields of the head that change; for each field
-- its name, its expected value (empty: no value) and its new value; then for each command the number
-- of its words, and the words.
-- Returns 1 if the write is saved now or was saved before: it is sent again if its answer was lost.
-- Returns 0 if another write was saved first; then nothing is changed.
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
redis.pcall('PUBLISH', ARGV[1], ARGV[2]) -- fails without the right to publish; readers also poll
return 1
