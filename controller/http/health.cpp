// /version, /livez, /readyz, /openapi.json: about the server itself.
#include <boost/json.hpp>

#include "common/wire/frame.hpp"
#include "controller/http/handlers.hpp"
#include "controller/http/openapi.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

namespace json = boost::json;

Answer get_version(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  co_return Reply(200, json::serialize(json::object{{"version", exchange->services.options.version},
                                                    {"protocol", wire::kProtocolVersion},
                                                    {"api", "v1"}}) + "\n");
}

Answer get_openapi(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  co_return Reply(200, std::string(kOpenapi));
}

// That this answers at all is what it says.
Answer get_livez(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  co_return Reply(200, "{\"live\":true}\n");
}

Answer get_readyz(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  const Gateway& gateway = exchange->services.gateway;
  const bool scheduler = gateway.linked(), nats = gateway.on_nats();
  const json::object checks{{"scheduler", scheduler ? "ok" : "it has not answered this API yet"},
                            {"nats", nats ? "ok" : "the controller is not connected to NATS, and seeks it"}};
  Reply reply(scheduler && nats ? 200 : 503, json::serialize(json::object{{"ready", scheduler && nats}, {"checks", checks}}) + "\n");
  if (reply.status != 200) reply.headers.emplace_back("Retry-After", "1");
  co_return reply;
}

}  // namespace covey::api
