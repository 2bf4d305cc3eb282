-- One step of a partition's manager, done only while its lease holds: takes records that were worked off from the
-- journal, writes accounts, unlinks entries that were not accessed since, and looks at others.
--
-- KEYS   1 lease  2 journal  3 accounts, then the entries to evict, then the entries to look at
-- ARGV   1 the lease's value  2 its new lifetime in ms, 0 gives it up
--        3 generation  4 position  5 how many records from there on are worked off  6 the last of them
--        7 the number of the step, one more than that of the last one
--        8 how many account fields follow, then field and value of each
--        then for each entry to evict the second of its last known access, or its LFU counter; the rest of KEYS is to
--        be looked at
-- Reply  {0}                        the lease is not ours, nothing was done
--        {2, generation, position}  the accounts or the journal are not what we think, nothing was done but renewing
--                                   the lease
--        {1, backlog, LFU, start (s, us), end (s, us), results…}
--        {3, the same}              this step had been done before, so nothing was unlinked this time
--        LFU       1 if the server tells LFU counters instead of idle times
--        an entry to evict     -1 unlinked, -2 not there, else accessed since: its idle time in s, or its counter
--        an entry to look at   bytes (-2 not there, -3 no string), ms to live (-1 for ever), idle time or counter
local lease, journal, accounts = KEYS[1], KEYS[2], KEYS[3]
if redis.call('GET', lease) ~= ARGV[1] then
  return {0}
end
local start = redis.call('TIME')
if ARGV[2] == '0' then
  redis.call('DEL', lease)
else
  redis.call('PEXPIRE', lease, ARGV[2])
end

local stands = redis.call('HMGET', accounts, 'generation', 'drained', 'steps')
local generation, position, steps = tonumber(stands[1] or '0'), tonumber(stands[2] or '0'), tonumber(stands[3] or '0')
local from, count, number = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[7])
-- An attempt that comes late must not undo what was done since, and a failover must not lose a step unnoticed.
local done_before = steps == number
local agrees = generation == tonumber(ARGV[3]) and (done_before or steps == number - 1)
if agrees and count > 0 and position == from then
  -- The same record at the same place: no failover has put other records there.
  agrees = redis.call('LINDEX', journal, count - 1) == ARGV[6]
  if agrees then
    redis.call('LTRIM', journal, count, -1)
    redis.call('HSET', accounts, 'drained', string.format('%.0f', from + count))
  end
else
  agrees = agrees and position == from + count
end
if not agrees then
  return {2, generation, position}
end

local fields = 2 * tonumber(ARGV[8])
redis.call('HSET', accounts, 'steps', ARGV[7], unpack(ARGV, 9, 8 + fields))

local results, cold, lfu, command = {}, {}, 0, 'IDLETIME'
-- The second that Redis's idle clock shows. It follows the time at up to 100 ms, here taken as 200: for as long into a
-- second it may already show that one, and then an access in the second after the known one goes unseen. Taking it
-- for later than it is would make all that is cold look accessed.
local clock = math.floor((start[1] * 1000000 + start[2] - 200000) / 1000000)

local function last_access(key)
  local answer = redis.pcall('OBJECT', command, key)
  if type(answer) == 'table' then
    lfu, command = 1, 'FREQ'
    answer = redis.call('OBJECT', command, key)
  end
  return answer
end

-- A counter has 8 bits: what is more was meant for idle times. These have 24, and more than half of that means an
-- access that is still to come: the clock was set back since. Then, and where the known access is still to come, we
-- cannot tell.
local function is_cold(answer, known)
  if lfu == 1 then
    return known <= 255 and answer <= known
  end
  return answer < 8388608 and known <= clock + 1 and clock - answer <= known
end

local evicted = #ARGV - 8 - fields
for i = 1, evicted do
  local key, known = KEYS[3 + i], tonumber(ARGV[8 + fields + i])
  local answer = last_access(key)
  if not answer then
    results[i] = -2
  elseif not done_before and is_cold(answer, known) then
    cold[#cold + 1] = key
    results[i] = -1
  else
    results[i] = answer
  end
end
if #cold > 0 then
  redis.call('UNLINK', unpack(cold))
end

for i = 4 + evicted, #KEYS do
  local key, n = KEYS[i], #results
  local answer = last_access(key)
  local bytes = answer and redis.pcall('STRLEN', key)
  if not bytes then
    results[n + 1], results[n + 2], results[n + 3] = -2, 0, 0
  elseif type(bytes) == 'table' then
    results[n + 1], results[n + 2], results[n + 3] = -3, 0, 0
  else
    -- Asking for the length counts as an access: the idle time is that before it, a counter that after it.
    answer = lfu == 1 and last_access(key) or answer
    results[n + 1], results[n + 2], results[n + 3] = bytes, redis.call('PTTL', key), answer
  end
end

local now = redis.call('TIME')
local reply = {done_before and 3 or 1, redis.call('LLEN', journal), lfu, tonumber(start[1]), tonumber(start[2]), tonumber(now[1]), tonumber(now[2])}
for i = 1, #results do
  reply[7 + i] = results[i]
end
return reply
