-- Takes the lease of a partition, or takes it anew.
--
-- KEYS   1 lease  2 accounts
-- ARGV   1 holder, unique to the process  2 lifetime of the lease in ms  3 the token has to be higher than this: the
--        holder's last, so that nothing that it sent under that is done any more
-- Reply  {1, token}            the holder has the lease
--        {0, remaining in ms}  somebody else has it
local above = tonumber(ARGV[3])
local held = redis.call('GET', KEYS[1])
if held then
  local token, holder = string.match(held, '^(%d+):(.*)$')
  if holder ~= ARGV[1] then
    -- After the clock was set back it would last for longer than any lease.
    local left = redis.call('PTTL', KEYS[1])
    if left < 0 or left > tonumber(ARGV[2]) then
      left = tonumber(ARGV[2])
      redis.call('PEXPIRE', KEYS[1], left)
    end
    return {0, left}
  elseif tonumber(token) > above then
    -- The reply to the first attempt was lost.
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return {1, tonumber(token)}
  end
end
-- Does nothing. But a server without memory refuses what needs some only until a script has written, and a manager is
-- just what it lacks.
redis.call('PEXPIRE', KEYS[1], ARGV[2])
-- A failover may have lost the last.
local last = math.max(tonumber(redis.call('HMGET', KEYS[2], 'token')[1] or '0'), above)
local token = string.format('%.0f', last + 1)
redis.call('HSET', KEYS[2], 'token', token)
redis.call('SET', KEYS[1], token .. ':' .. ARGV[1], 'PX', ARGV[2])
return {1, last + 1}
