-- One wrk script for all scenarios, chosen by environment: SCENARIO, TOKEN, IDS (client and record
-- ids, a line each, all of one length), CLIENTS.
local scenario, token, clients = os.getenv("SCENARIO"), os.getenv("TOKEN"), tonumber(os.getenv("CLIENTS"))
local fixed = ({ bare = "/health/live", static = "/1k" })[scenario]
local ids, client_width, line_width, count, serial, thread_number = "", 0, 0, 0, 0, 0
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
  if fixed then return end
  -- One string and not a table of them: a million ids are 62 MB.
  ids = io.open(os.getenv("IDS")):read("*a")
  client_width, line_width = ids:find(" ") - 1, ids:find("\n")
  count = #ids / line_width
end

local function pick()
  local at = (math.random(count) - 1) * line_width
  return ids:sub(at + 1, at + client_width), ids:sub(at + client_width + 2, at + line_width - 1)
end

function request()
  if fixed then return wrk.format("GET", fixed, headers) end
  local client, record = pick()
  if scenario == "read" then
    return wrk.format("GET", "/v1/clients/" .. client .. "/records/" .. record, headers)
  elseif scenario == "search" then
    local body = string.format('{"class":"bench","field":"email","value":"user%d@example.com"}',
      math.random(clients))
    return wrk.format("POST", "/v1/clients/search", headers, body)
  end
  serial = serial + 1
  local body = string.format(
    '{"class":"bench","data":{"email":"w%d.%d@example.com","phone":"+1555%07d","text":"%s"}}',
    me, serial, math.random(9999999), filler)
  return wrk.format("POST", "/v1/clients/" .. client .. "/records", headers, body)
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency.max,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write +
    summary.errors.timeout))
end
