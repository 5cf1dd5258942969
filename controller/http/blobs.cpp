// /v1/blobs: binary payloads, streamed in for tasks to name, and streamed out.
#include <fmt/format.h>

#include <algorithm>

#include "controller/http/handlers.hpp"
#include "controller/http/requests.hpp"
#include "controller/http/services.hpp"

namespace covey::api {

namespace {

constexpr std::size_t kPiece = 64 * 1024;

Problem no_blob(const std::string& id) {
  return {Kind::not_found, fmt::format("No blob '{}' is here: it never was, was deleted, or was a result's value that had to make room.", id), "id",
          "an id that was PUT, or a task's value_blob"};
}

Problem full(const Limits& limits) {
  return {Kind::too_many, fmt::format("The blobs are at their limits: http-blobs-bytes, {} bytes, or http-blobs, {}.", limits.blobs_bytes, limits.blobs), {},
          "DELETE of blobs that are wanted no more", 5};
}

// The body, as it comes, within what the store and the limit of one blob allow.
boost::asio::awaitable<Outcome<std::string>> receive(Exchange* exchange, BlobStore::Upload* upload) {
  const Limits& limits = exchange->services.options.limits;
  const auto refuse = [&](Problem problem) {
    exchange->close_after();
    return problem;
  };
  const auto fits = [&](std::uint64_t bytes) -> std::optional<Problem> {
    if (bytes > limits.blob_bytes) {
      return refuse({Kind::too_large, fmt::format("The blob is larger than the limit http-blob-bytes, {} bytes.", limits.blob_bytes), {},
                     fmt::format("at most {} bytes", limits.blob_bytes)});
    }
    if (!upload->grow_to(bytes)) return refuse(full(limits));
    return std::nullopt;
  };
  const auto announced = exchange->announced_bytes();
  if (announced) {
    if (auto problem = fits(*announced)) co_return *problem;
  }
  std::string content, piece(kPiece, '\0');
  if (announced) content.reserve(*announced);
  for (;;) {
    const auto got = co_await exchange->read_some(piece.data(), piece.size());
    if (!got) co_return got.error();
    if (*got == 0) break;
    if (auto problem = fits(content.size() + *got)) co_return *problem;
    content.append(piece, 0, *got);
  }
  content.shrink_to_fit();
  co_return content;
}

}  // namespace

Answer put_blob(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  const std::string& id = exchange->params[0];
  if (!is_upload_id(id)) co_return Problem{Kind::invalid_parameter, "This is no id for a blob.", "id", "1 to 64 of A-Z, a-z, 0-9, - and _"};
  const auto encoding = exchange->header(http::field::content_encoding);
  if (!encoding.empty() && encoding != "identity") {
    co_return Problem{Kind::unsupported_media, "A body is not read in this encoding.", "Content-Encoding", "no Content-Encoding"};
  }
  BlobStore::Upload upload(exchange->services.blobs);
  auto content = co_await receive(exchange, &upload);
  if (!content) co_return content.error();
  const std::size_t size = content->size();
  const auto put = upload.finish(id, std::move(*content));
  if (put == BlobStore::Upload::Put::full) co_return full(exchange->services.options.limits);
  const bool made = put == BlobStore::Upload::Put::made;
  Reply reply(made ? 201 : 200, fmt::format("{{\"id\":\"{}\",\"bytes\":{}}}\n", id, size));
  if (made) reply.headers.emplace_back("Location", "/v1/blobs/" + id);
  co_return reply;
}

// Its type says nothing of what it is: a browser is not to take somebody's upload for a page of this server.
Answer get_blob(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  const auto* found = exchange->services.blobs.find(exchange->params[0]);
  if (found == nullptr) co_return no_blob(exchange->params[0]);
  const StreamPlace place(exchange->services);
  if (!place.granted()) co_return place.problem();
  const wire::Buffer content = *found;  // stays, though the blob may be deleted meanwhile
  bool there = co_await exchange->begin("application/octet-stream", content.size());
  for (std::size_t at = 0; there && !exchange->is_head() && at < content.size(); at += kPiece) {
    there = co_await exchange->write(content.view().substr(at, kPiece));
  }
  co_return Reply::done();
}

Answer delete_blob(Exchange* exchange) {
  if (auto problem = exchange->target.query.check({})) co_return *problem;
  if (!exchange->services.blobs.remove(exchange->params[0])) co_return no_blob(exchange->params[0]);
  co_return Reply(204, {});
}

}  // namespace covey::api
