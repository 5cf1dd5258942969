#include "common/wire/subjects.hpp"

#include <algorithm>
#include <stdexcept>

namespace covey::wire {
namespace {

std::string_view name(Role role) {
  switch (role) {
    case Role::controller: return "controller";
    case Role::engine: return "engine";
    case Role::client: return "client";
  }
  return "";
}

}  // namespace

// controller.<role>.<from> | engine.<to>.<role> | client.<to>.<role> | direct | announce
Subjects::Subjects(std::string_view cluster) : prefix_("covey." + std::string(cluster) + ".") {
  const bool valid = !cluster.empty() && cluster.size() <= 63 && std::all_of(cluster.begin(), cluster.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (!valid) {
    throw std::invalid_argument("cluster name '" + std::string(cluster) + "': 1 to 63 characters of a-z, 0-9 and - wanted");
  }
}

std::string Subjects::to_controller(Role role, Incarnation from) const {
  return prefix_ + "controller." + std::string(name(role)) + "." + to_string(from);
}
std::string Subjects::controller_inbox() const { return prefix_ + "controller.*.*"; }
std::string Subjects::announce() const { return prefix_ + "announce"; }
std::string Subjects::to_engine(Incarnation engine, Role from) const {
  return prefix_ + "engine." + to_string(engine) + "." + std::string(name(from));
}
std::string Subjects::engine_inbox(Incarnation engine) const { return prefix_ + "engine." + to_string(engine) + ".*"; }
std::string Subjects::to_client(Incarnation client, Role from) const {
  return prefix_ + "client." + to_string(client) + "." + std::string(name(from));
}
std::string Subjects::client_inbox(Incarnation client) const { return prefix_ + "client." + to_string(client) + ".*"; }
std::string Subjects::direct() const { return prefix_ + "direct"; }

std::optional<Role> Subjects::sender_role(std::string_view subject) const {
  if (!subject.starts_with(prefix_)) return std::nullopt;
  subject.remove_prefix(prefix_.size());
  if (subject == "direct") return Role::client;
  if (subject == "announce") return Role::controller;
  const bool at_controller = subject.starts_with("controller.");
  const auto token = at_controller ? subject.substr(11, subject.find('.', 11) - 11) : subject.substr(subject.rfind('.') + 1);
  for (const auto role : {Role::engine, Role::client, Role::controller}) {
    if (token == name(role)) return role;
  }
  return std::nullopt;
}

Subjects::Permissions Subjects::permissions(Role role) const {
  switch (role) {
    case Role::controller:
      // And, for the API in its process, which is a client, what goes between clients and engines.
      return {{prefix_ + "engine.*.controller", prefix_ + "client.*.controller", announce(), prefix_ + "engine.*.client"},
              {controller_inbox(), prefix_ + "client.*.engine"}};
    case Role::engine:
      return {{prefix_ + "controller.engine.*", prefix_ + "client.*.engine", prefix_ + "engine.*.engine"},
              {prefix_ + "engine.*.*", direct(), announce()}};
    case Role::client:
      return {{prefix_ + "controller.client.*", prefix_ + "engine.*.client", direct()},
              {prefix_ + "client.*.*", announce()}};
  }
  return {};
}

}  // namespace covey::wire
