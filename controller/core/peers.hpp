// Who the controller speaks with: engines and clients' sessions, each over a link. Plain records; the broker acts on them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "common/wire/greeting.hpp"
#include "common/wire/link.hpp"
#include "common/wire/records.hpp"
#include "controller/core/result_store.hpp"
#include "controller/core/sequence_index.hpp"
#include "controller/core/task_table.hpp"

namespace covey::controller {

// A process at the other end of a link.
struct Peer {
  wire::Role role;
  std::uint32_t index;  // of the engine or session
  std::string subject;  // where it listens
  wire::Link link;
  wire::Time last_heard;
  bool dirty = false;     // has something to flush this turn
  bool ack_owed = false;  // is in the list of links whose control deadline is watched
};

struct Engine {
  wire::Incarnation id = wire::Incarnation::none;
  wire::Hello hello;
  std::unique_ptr<Peer> peer;
  std::uint64_t credit = 0;       // what it says it will hold
  std::uint64_t load = 0;         // what it holds, as far as is known; at most credit when a task is assigned
  std::uint64_t mean_run_us = 0;  // 0: unknown
  std::uint64_t memory_bytes = 0; // resident, as it last said; 0: it has not
  bool full = false;             // of values that nobody has read; it takes no tasks
  bool draining = false;
  std::optional<wire::DrainMode> asked;  // of it, until it says that it is so
  bool adopting = false;         // its link is new and it has not yet said what it still has
  bool recalling = false;        // a recall is on its way
  TaskIndex alone = kNone;       // the suspect it runs, with nothing beside it
  TaskList assigned;             // in the order of assignment, which is the order in which it runs them
  std::unordered_set<Handle> ghosts;  // finished by other means (cancelled, timed out), but still in its load
  std::unordered_map<std::uint64_t, wire::TaskId> adopted;  // by the handle of its own that it gave them
  std::unordered_map<SpecIndex, std::uint64_t> known_specs;  // on this link: index → number, stale where numbers differ
  std::uint64_t completed = 0;
  std::uint64_t last_assigned = 0;  // the broker's count of assignments then (policy lru)
  wire::Time joined{};
  wire::Time last_busy{};            // as far as the sweeps have seen, which come every half second
  std::uint64_t completed_then = 0;  // at the last sweep

  // It has plenty to do: it is given more only once a quarter of its credit is free, and then all of it, because each
  // message wakes it up.
  bool supplied() const { return load > credit / 2; }
};

struct EngineTotals {
  std::uint64_t assigned = 0, slots = 0, busy_slots = 0, idle = 0, draining = 0;
  void add(const Engine& engine) {
    assigned += engine.load;
    slots += engine.hello.slots;
    busy_slots += std::min<std::uint64_t>(engine.load, engine.hello.slots);
    idle += engine.load == 0 && !engine.draining ? 1 : 0;
    draining += engine.draining ? 1 : 0;
  }
};

struct Session {
  wire::SessionId id = wire::SessionId::none;
  std::string name;
  std::unique_ptr<Peer> peer;  // null while its client is away
  SequenceIndex tasks;         // unfinished, and held
  ResultStore unsent;          // completed, to be sent as soon as the client has room
  ResultStore kept;            // of detached tasks: sent only when asked for
  std::uint64_t window = 0;    // granted
  std::uint64_t highest_sequence = 0;
  std::unordered_map<std::uint64_t, wire::BlobReference> spilled;  // arguments taken over before their task arrived, by sequence
  std::unordered_map<std::uint64_t, SpecIndex> specs;  // by the client's number, on this link
  bool catching_up = false;  // its client may still submit again on this link what it had submitted on an older one
  std::unordered_set<std::uint64_t> answered;  // meanwhile: results that have been sent on this link
  wire::Time gone_since{};
};

}  // namespace covey::controller
