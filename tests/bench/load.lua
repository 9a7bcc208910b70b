-- One wrk script for all scenarios, chosen by environment: SCENARIO, TOKEN, IDS (client and record
-- ids, a line each), CLIENTS.
local scenario, token, clients = os.getenv("SCENARIO"), os.getenv("TOKEN"), tonumber(os.getenv("CLIENTS"))
local ids, serial, thread_number = {}, 0, 0
local headers = {
  ["Authorization"] = "Bearer " .. token,
  ["Coffer-Purpose"] = "client-care",
  ["Content-Type"] = "application/json",
}
local filler = string.rep("The quick brown fox jumps over the lazy dog. ", 19)

function setup(thread)
  thread_number = thread_number + 1
  thread:set("me", thread_number)
end

function init()
  math.randomseed(os.time() * 10 + me)
  if scenario == "bare" then return end
  for line in io.lines(os.getenv("IDS")) do
    local client, record = line:match("(%S+) (%S+)")
    ids[#ids + 1] = { client = client, record = record }
  end
end

function request()
  if scenario == "bare" then return wrk.format("GET", "/health/live", headers) end
  local one = ids[math.random(#ids)]
  if scenario == "read" then
    return wrk.format("GET", "/v1/clients/" .. one.client .. "/records/" .. one.record, headers)
  elseif scenario == "search" then
    local body = string.format('{"class":"bench","field":"email","value":"user%d@example.com"}',
      math.random(clients))
    return wrk.format("POST", "/v1/clients/search", headers, body)
  end
  serial = serial + 1
  local body = string.format(
    '{"class":"bench","data":{"email":"w%d.%d@example.com","phone":"+1555%07d","text":"%s"}}',
    me, serial, math.random(9999999), filler)
  return wrk.format("POST", "/v1/clients/" .. one.client .. "/records", headers, body)
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency.max,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write +
    summary.errors.timeout))
end
