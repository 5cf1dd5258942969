// /version, /livez, /readyz, /openapi.json.
#include <boost/json.hpp>

#include "common/wire/frame.hpp"
#include "controller/http/handlers.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

namespace json = boost::json;

Answer get_version(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  co_return Reply(200, json::serialize(json::object{{"version", exchange->services.options.version},
                                                    {"protocol", wire::kProtocolVersion},
                                                    {"api", "v1"}}) + "\n");
}

}  // namespace covey::api
