// Moves payloads that are too large for records from their holder to whoever needs them, in pieces. The reader asks for one
// stretch after another and asks again for what does not come; the holder answers and remembers nothing. Pure: frames and
// time go in, frames and whole payloads come out. One thread at a time.
//
// A frame of the kind `payload` has the reader's number of the transfer as its header's sequence, and as its body
//   want:  u8 1, blob varint, from varint, until varint      reader → holder
//   piece: u8 2, offset varint, bytes to the end             holder → reader
//   gone:  u8 3                                              holder → reader: there is no such blob
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "common/wire/frame.hpp"
#include "common/wire/outlet.hpp"
#include "common/wire/payload.hpp"
#include "common/wire/records.hpp"
#include "common/wire/subjects.hpp"
#include "common/wire/time.hpp"

namespace covey::wire {

struct PayloadFrame {
  enum class Kind : std::uint8_t { want = 1, piece = 2, gone = 3 };
  Kind kind = Kind::gone;
  std::uint64_t blob = 0;               // want
  std::uint64_t from = 0, until = 0;    // want; `from` is also a piece's offset
  ByteSpan bytes;                       // piece
};
void encode(Writer& out, const PayloadFrame& frame);
std::optional<PayloadFrame> decode_payload_frame(ByteSpan body);

// Who reads and who holds, and the subject that reaches a holder.
struct TransferEnd {
  Incarnation self = Incarnation::none;
  Role role = Role::client;
  const Subjects* subjects = nullptr;  // outlives it
  std::string subject_of(Incarnation peer, Role peer_role) const;
};

// The holder's side: answers a `want` of `frame` from `blob`, or says that it is gone where that is null.
void answer_want(const TransferEnd& self, Role reader, const Frame& frame, const PayloadFrame& want, const Buffer* blob, Outlet& outlet);

enum class FetchError : std::uint8_t { gone, unreachable };

// The reader's side.
class Fetcher {
 public:
  // Who is told how a fetch ended, once for each; it may begin others.
  class Taker {
   public:
    virtual void on_fetched(std::uint64_t cookie, Buffer payload) = 0;
    // The holder says that it no longer has it, or does not answer.
    virtual void on_fetch_failed(std::uint64_t cookie, FetchError error) = 0;

   protected:
    ~Taker() = default;
  };
  struct Limits {
    std::uint64_t window = 1024 * 1024;        // bytes asked for and not yet here, of one transfer
    std::uint64_t all_windows = 4 * 1024 * 1024;  // and of all together; the next transfer begins below that
    std::uint64_t bytes = 256ULL << 20;        // of payloads that are arriving; one may always arrive
  };
  static constexpr Duration kRetry = std::chrono::milliseconds(500);   // without a word: ask again
  static constexpr Duration kGapPause = std::chrono::milliseconds(20);  // between two requests for the same gap
  static constexpr Duration kSilence = std::chrono::seconds(3);        // without a word: the holder is gone
  static constexpr Duration kReconnectGrace = std::chrono::seconds(2);

  Fetcher(TransferEnd self, Outlet& outlet, Taker& taker, Limits limits);
  Fetcher(TransferEnd self, Outlet& outlet, Taker& taker) : Fetcher(self, outlet, taker, Limits{}) {}

  // `cookie` names the fetch to the taker, and is unique among those that go on.
  void fetch(std::uint64_t cookie, const BlobReference& blob);
  // It is wanted no more; the taker is not told.
  void forget(std::uint64_t cookie);
  bool fetching(std::uint64_t cookie) const { return by_cookie_.contains(cookie); }
  std::size_t size() const { return by_cookie_.size(); }

  void on_connected(Time now);
  void on_disconnected() { connected_ = false; }
  // A piece, or the word that there is none.
  void on_frame(const Frame& frame, const PayloadFrame& content, Time now);
  // Asks for what there is room for.
  void flush(Time now);
  void on_timer(Time now);
  Time next_deadline() const { return connected_ && !active_.empty() ? next_check_ : kNever; }

 private:
  struct Transfer {
    std::uint64_t cookie = 0;
    BlobReference blob;
    std::string subject;
    std::shared_ptr<std::byte[]> bytes;
    std::uint64_t received = 0, asked = 0;  // bytes from the beginning
    Time last_word{};
    Time next_gap_request{};
  };
  using Active = std::map<std::uint64_t, Transfer>;

  void begin_next(Time now);
  void ask(std::uint64_t number, Transfer& transfer);
  void ask_again(Transfer& transfer);
  void on_piece(Active::iterator at, const PayloadFrame& piece, Time now);
  void finish(Active::iterator at);
  void fail(Active::iterator at, FetchError error);
  Transfer take(Active::iterator at);

  TransferEnd self_;
  Outlet& outlet_;
  Taker& taker_;
  Limits limits_;
  std::deque<std::pair<std::uint64_t, BlobReference>> waiting_;  // cookie and blob
  Active active_;                                                // by the number of the transfer
  std::map<std::uint64_t, std::uint64_t> by_cookie_;             // the transfer's number, 0 while it waits
  std::uint64_t next_number_ = 1;
  std::uint64_t asked_bytes_ = 0;   // asked for and not yet here
  std::uint64_t active_bytes_ = 0;  // of the active transfers' payloads
  bool connected_ = false;
  Time connected_since_{};
  Time next_check_ = kNever;
  Writer scratch_;
};

}  // namespace covey::wire
