// The NATS subjects of one cluster, and which role may use which. docs/protocol.md lists them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/wire/greeting.hpp"
#include "common/wire/ids.hpp"

namespace covey::wire {

class Subjects {
 public:
  // A cluster's name is 1 to 63 of [a-z0-9-]; anything else throws std::invalid_argument.
  explicit Subjects(std::string_view cluster);

  // Peers speak to the controller on a subject that names their role and themselves.
  std::string to_controller(Role role, Incarnation from) const;
  std::string controller_inbox() const;  // wildcard: all of them
  std::string announce() const;          // the controller speaks to everybody

  std::string to_engine(Incarnation engine, Role from) const;
  std::string engine_inbox(Incarnation engine) const;  // wildcard over who speaks
  std::string to_client(Incarnation client, Role from) const;
  std::string client_inbox(Incarnation client) const;
  std::string direct() const;  // any engine, through the queue group kDirectGroup

  // Who speaks on a subject of an inbox; nullopt for a foreign one. NATS permissions make it true.
  std::optional<Role> sender_role(std::string_view subject) const;

  struct Permissions {
    std::vector<std::string> publish, subscribe;
  };
  Permissions permissions(Role role) const;

 private:
  std::string prefix_;  // "covey.<cluster>."
};

inline constexpr std::string_view kDirectGroup = "engines";

}  // namespace covey::wire
