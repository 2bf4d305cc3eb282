-- Drops a journal that has grown beyond its cap, and tells the manager so. Called again it does nothing.
--
-- KEYS   1 journal  2 accounts
-- ARGV   1 the cap in records
-- Reply  1 if the journal was dropped, 0 if it is within its cap
if redis.call('LLEN', KEYS[1]) <= tonumber(ARGV[1]) then
  return 0
end
redis.call('UNLINK', KEYS[1])
redis.call('HINCRBY', KEYS[2], 'generation', 1)
return 1
