-- Takes or renews the lease of a partition.
--
-- KEYS   1 lease  2 accounts
-- ARGV   1 holder, unique to the process  2 lifetime of the lease in ms
-- Reply  {1, token}            the holder has the lease
--        {0, remaining in ms}  somebody else has it
local held = redis.call('GET', KEYS[1])
if held then
  local token, holder = string.match(held, '^(%d+):(.*)$')
  if holder == ARGV[1] then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return {1, tonumber(token)}
  end
  -- After the clock was set back it would last for longer than any lease.
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 or left > tonumber(ARGV[2]) then
    left = tonumber(ARGV[2])
    redis.call('PEXPIRE', KEYS[1], left)
  end
  return {0, left}
end
-- Does nothing. But a server without memory refuses what needs some only until a script has written, and a manager is
-- just what it lacks.
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local token = redis.call('HINCRBY', KEYS[2], 'token', 1)
redis.call('SET', KEYS[1], string.format('%d:%s', token, ARGV[1]), 'PX', ARGV[2])
return {1, token}
