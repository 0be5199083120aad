-- Saves API keys, if none was saved since they were read.
-- KEYS: the head, the hash of keys. ARGV: the head as it has to be (empty: none) and as it becomes;
-- then id and body of each key.
-- Returns 1 when they are saved; 0 when another write came first, and nothing was done. That other may
-- be the same one, sent again as its answer got lost: who reads the keys anew finds it done.
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
for at = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
