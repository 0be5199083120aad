-- Notes when keys were last used; unknown keys and earlier moments are left out.
-- KEYS: the hash of keys, the hash of last uses. ARGV: id of each key and the moment, in microseconds.
for at = 1, #ARGV, 2 do
  local before = tonumber(redis.call('HGET', KEYS[2], ARGV[at]) or '0')
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 1 and before < tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  end
end
