-- Changes the configuration of a namespace, unless somebody else has changed it since it was read.
--
-- KEYS   1 configuration
-- ARGV   1 the text as it was read  2 the text to be written
-- Reply  1     it is written, over what was read or where nothing was
--        text  somebody else wrote this, which stays
local there = redis.call('GET', KEYS[1])
if there and there ~= ARGV[1] then
  return there
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
