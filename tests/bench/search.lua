-- wrk script: POST a question (one a line of the file named by QUESTIONS) to /api/documents/search, with the token in
-- TOKEN. Counts answers that are not 200 or find nothing: a bench of errors is no bench.
local questions = {}
for line in io.lines(os.getenv("QUESTIONS")) do questions[#questions + 1] = line end
local headers = { ["Authorization"] = "Bearer " .. os.getenv("TOKEN"), ["Content-Type"] = "application/json" }
local threads = {}

function setup(thread) threads[#threads + 1] = thread end
function init() math.randomseed(os.time()); bad = 0 end
function request()
  return wrk.format("POST", "/api/documents/search", headers, questions[math.random(#questions)])
end
function response(status, _, body) if status ~= 200 or #body < 200 then bad = bad + 1 end end
function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("bad") end
  io.write(string.format("RESULT %f %d %d %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(tonumber(os.getenv("TAIL") or "99")), bad + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
