-- wrk script: GET a random one of the paths in the file named by PATHS, with the token in TOKEN.
-- Counts answers that are not 200: a bench of errors is no bench.
local paths = {}
for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = line end
local headers = { ["Authorization"] = "Bearer " .. os.getenv("TOKEN") }
local threads = {}

function setup(thread) threads[#threads + 1] = thread end
function init() math.randomseed(os.time()); bad = 0 end
function request() return wrk.format("GET", paths[math.random(#paths)], headers) end
function response(status) if status ~= 200 then bad = bad + 1 end end
function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("bad") end
  io.write(string.format("RESULT %f %d %d %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99), bad + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
