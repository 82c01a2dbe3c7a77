-- wrk script: GET a random one of the paths in the file named by PATHS, with the token in TOKEN.
-- Counts answers that are not good: a bench of errors is no bench. Requests are made once, and wrk looks at the status itself: what
-- its client costs is taken from what is measured.
local requests = {}

function init()
  math.randomseed(os.time())
  local headers = { ["Authorization"] = "Bearer " .. os.getenv("TOKEN") }
  for path in io.lines(os.getenv("PATHS")) do requests[#requests + 1] = wrk.format("GET", path, headers) end
end
function request() return requests[math.random(#requests)] end
function done(summary, latency)
  local bad = summary.errors
  io.write(string.format("RESULT %f %d %d %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99), bad.status + bad.connect + bad.read + bad.timeout))
end
