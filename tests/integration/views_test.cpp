// What the client's views do with a running cluster: chunks, iteration, coroutines.
#include <sys/mman.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <exception>
#include <future>
#include <set>
#include <thread>

#include "tests/integration/cluster_fixture.hpp"

namespace covey::integration {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using asio::experimental::awaitable_operators::operator||;

std::string text(const wire::Payload& payload) { return std::string(payload.buffer.view()); }

struct ViewsTest : ClusterFixture {
  // Runs a coroutine to its end on a loop of its own.
  template <class T>
  T run(asio::awaitable<T> coroutine) {
    asio::io_context io;
    std::exception_ptr thrown;
    T value{};
    asio::co_spawn(io, std::move(coroutine), [&](std::exception_ptr error, T result) {
      thrown = error;
      value = std::move(result);
    });
    io.run_for(kPatience);
    if (thrown) std::rethrow_exception(thrown);
    return value;
  }
  static std::vector<std::string> numbers(int count) {
    std::vector<std::string> inputs;
    for (int i = 0; i < count; ++i) inputs.push_back("[" + std::to_string(i) + "]");
    return inputs;
  }
};

// ---- chunks ----

TEST_F(ViewsTest, AChunkedMapHasAValueForEachInput) {
  start(2);
  const auto client = connect(2);
  for (const auto scheme : {client::Scheme::controller, client::Scheme::direct}) {
    const auto result = client->load_balanced(scheme).map("echo", numbers(1001), {.chunk = 100});
    const auto values = result.get_all(kPatience);
    ASSERT_EQ(values.size(), 1001U);
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(text(values[i]), std::to_string(i));
    EXPECT_TRUE(result.successful());
    const auto ids = client->ids_of(result);
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 11U);
    EXPECT_EQ(ids[199], ids[100]);
    EXPECT_EQ(result.metadata(100).task, ids[100]);
  }
}

TEST_F(ViewsTest, AFailingElementOfAChunkFailsAlone) {
  start(1);
  const auto client = connect(1);
  const auto result = client->load_balanced().map("sum", {"[1]", "[2]", "[\"three\"]", "[4]", "[5]"}, {.chunk = 4});
  ASSERT_TRUE(result.wait(kPatience));
  EXPECT_FALSE(result.successful());
  EXPECT_EQ(text(result.get_at(1)), "2");
  EXPECT_EQ(text(result.get_at(3)), "4");
  EXPECT_EQ(text(result.get_at(4)), "5");
  try {
    result.get_all();
    FAIL() << "nothing was thrown";
  } catch (const client::TaskError& error) {
    EXPECT_EQ(error.index(), 2U);
    EXPECT_EQ(error.metadata().status, wire::TaskStatus::bad_arguments);
  }
}

TEST_F(ViewsTest, RetriesRunTheWholeChunkAgain) {
  start(1);
  const auto client = connect(1);
  auto view = client->load_balanced();
  view.options.retries = 2;
  const auto result = view.map("fail", {"[\"a\"]", "[\"b\"]"}, {.chunk = 2});
  ASSERT_TRUE(result.wait(kPatience));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(result.metadata(i).attempts, 3U);
  EXPECT_EQ(result.metadata(1).error, "b");
}

TEST_F(ViewsTest, TheRunLimitIsTheWholeChunks) {
  start(1);
  const auto client = connect(1);
  auto view = client->load_balanced();
  view.options.run_limit = std::chrono::milliseconds(100);
  const auto result = view.map("sleep", {"[0]", "[600]", "[0]"}, {.chunk = 3});
  ASSERT_TRUE(result.wait(kPatience));
  EXPECT_EQ(result.metadata(0).status, wire::TaskStatus::ok);
  EXPECT_EQ(result.metadata(1).status, wire::TaskStatus::timed_out);
  EXPECT_EQ(result.metadata(2).status, wire::TaskStatus::timed_out);
}

TEST_F(ViewsTest, AChunkOfAFunctionThatIsNotThereFailsForEachInput) {
  start(1);
  const auto client = connect(1);
  const auto result = client->load_balanced().map("nosuch", numbers(5), {.chunk = 5});
  ASSERT_TRUE(result.wait(kPatience));
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(result.metadata(i).status, wire::TaskStatus::unknown_function);
}

TEST_F(ViewsTest, ChunksOfPayloadsMayBeLargerThanAFrame) {
  start(1);
  const auto client = connect(1);
  std::vector<wire::Payload> inputs;
  for (char c = 'a'; c <= 'j'; ++c) inputs.push_back({wire::Codec::bytes, wire::Buffer(std::string(c == 'j' ? 10 : 50'000, c))});
  const auto result = client->load_balanced().map("echo", inputs, {.chunk = 4});
  const auto values = result.get_all(kPatience);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(values[i].codec, wire::Codec::bytes);
    EXPECT_TRUE(values[i].buffer.view() == inputs[i].buffer.view()) << "element " << i;
  }
}

// Of memory that nobody touches: only its size matters.
wire::Payload beyond_the_limit() {
  static const std::size_t size = (std::size_t{1} << 30) + 1;
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  const std::shared_ptr<const void> owner(memory, [](void* all) { ::munmap(all, size); });
  return {wire::Codec::bytes, wire::Buffer(owner, {static_cast<const std::byte*>(memory), size})};
}

// Under AddressSanitizer it also says that nothing is left behind.
TEST_F(ViewsTest, AMapWithAnInputBeyondTheLimitThrowsAndCancelsWhatItHasSubmitted) {
  start(0);
  const auto client = connect(0);
  std::vector<wire::Payload> inputs(5000, {wire::Codec::json, wire::Buffer(std::string("[1]"))});
  inputs.push_back(beyond_the_limit());  // in the second slice, after others
  EXPECT_THROW(client->load_balanced().map("echo", inputs), std::length_error);
  const auto unfinished = [&] {
    const auto status = client->request(R"({"what":"status"})", kPatience);
    return status ? json::parse(*status).at("tasks").at("unfinished").to_number<int>() : -1;
  };
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (unfinished() != 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(unfinished(), 0);
}

TEST_F(ViewsTest, AChunkOfNothingIsRefused) {
  start(0);
  const auto client = connect(0);
  EXPECT_THROW(client->load_balanced().map("echo", numbers(1), {.chunk = 0}), std::invalid_argument);
  EXPECT_TRUE(client->load_balanced().map("echo", numbers(0), {.chunk = 7}).ready());
}

// ---- waiting and iterating ----

TEST_F(ViewsTest, ResultsAreGoneThroughAsTheyCompleteOrInOrder) {
  start(2);
  const auto client = connect(2);
  auto view = client->load_balanced();
  const auto result = view.map("sleep", {"[600]", "[0.001]"}, {.ordered = false});
  std::vector<std::size_t> completed, ordered, as_told;
  for (const auto one : result.as_completed(kPatience)) {
    completed.push_back(one.index());
    if (one.ok()) result.abort();  // the other one would take too long
  }
  for (const auto one : result.in_order(kPatience)) ordered.push_back(one.index());
  for (const auto one : result.results(kPatience)) as_told.push_back(one.index());
  EXPECT_EQ(completed, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(ordered, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(as_told, completed);
  std::size_t lone = 0;
  for (const auto one : view.apply("echo", "[7]").results(kPatience)) lone += text(one.get()) == "7" ? 1 : 0;
  EXPECT_EQ(lone, 1U);
}

TEST_F(ViewsTest, WaitingEndsWithItsTimeAndTheTaskGoesOn) {
  start(1);
  const auto client = connect(1);
  const auto result = client->load_balanced().map("sleep", {"[600]"});
  const auto brief = std::chrono::milliseconds(10);
  EXPECT_FALSE(result.wait(brief));
  EXPECT_THROW(result.get(brief), client::TimeoutError);
  EXPECT_THROW(result.get_all(brief), client::TimeoutError);
  EXPECT_THROW(*result.as_completed(brief).begin(), client::TimeoutError);
  EXPECT_FALSE(result.ready());
  EXPECT_EQ(result.progress(), 0U);
  result.abort();
  ASSERT_TRUE(result.wait(kPatience));
  EXPECT_EQ(result.metadata().status, wire::TaskStatus::cancelled);
}

// Whoever waits for the only task under way runs the client's loop meanwhile; others may come at any moment.
TEST_F(ViewsTest, ThreadsThatSubmitAndWaitInTurnsAllGetTheirOwnResults) {
  start(2);
  const auto client = connect(2);
  std::vector<std::thread> threads;
  for (int number = 0; number < 3; ++number) {
    threads.emplace_back([&, number] {
      auto view = client->load_balanced(number == 0 ? client::Scheme::direct : client::Scheme::controller);
      for (int i = 0; i < 200; ++i) {
        const auto input = "[" + std::to_string(1000 * number + i) + "]";
        const auto result = view.apply("echo", input);
        if (i % 7 == 0) result.wait(std::chrono::microseconds(50));
        EXPECT_EQ("[" + text(result.get(kPatience)) + "]", input);
        if (i % 50 != 0) continue;
        EXPECT_TRUE(client->request(R"({"what":"status"})").has_value());
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(ViewsTest, MetadataTellsWhenATaskWasSubmittedStartedAndCompleted) {
  start(1);
  const auto client = connect(1);
  const auto result = client->load_balanced().map("sleep", {"[0.01]", "[0.01]"}, {.chunk = 2});
  ASSERT_TRUE(result.wait(kPatience));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto metadata = result.metadata(i);
    EXPECT_GT(metadata.submitted_unix_us, 0);
    EXPECT_GE(metadata.started_unix_us, metadata.submitted_unix_us);
    EXPECT_GE(metadata.completed_unix_us, metadata.started_unix_us + 10'000);
  }
  EXPECT_GE(result.metadata(1).started_unix_us, result.metadata(0).completed_unix_us);
  EXPECT_GE(result.serial_time(), std::chrono::milliseconds(20));
}

TEST_F(ViewsTest, MetadataHasWhatAProcessPrinted) {
  start(1, {"--allow-exec"});
  const auto client = connect(1);
  const auto result = client->load_balanced().apply("exec", R"([["sh", "-c", "echo out; echo err >&2; exit 3"]])");
  ASSERT_TRUE(result.wait(kPatience));
  EXPECT_EQ(result.metadata().status, wire::TaskStatus::failed);
  EXPECT_EQ(result.metadata().stdout_text, "out\n");
  EXPECT_EQ(result.metadata().stderr_text, "err\n");
  EXPECT_FALSE(result.metadata().stdout_cut);
  const auto long_output = client->load_balanced().apply("exec", R"([["sh", "-c", "seq 100000"]])");
  ASSERT_TRUE(long_output.wait(kPatience));
  EXPECT_TRUE(long_output.metadata().stdout_text.ends_with("\n100000\n"));
  EXPECT_TRUE(long_output.metadata().stdout_cut);
}

// ---- coroutines ----

asio::awaitable<std::string> value_of(client::AsyncResult result) {
  co_await result.async_wait(asio::use_awaitable);
  co_return text(result.get());
}

TEST_F(ViewsTest, ACoroutineWaitsForAResult) {
  start(1);
  const auto client = connect(1);
  EXPECT_EQ(run(value_of(client->load_balanced().apply("echo", "[5]"))), "5");
  const auto ready = client->load_balanced().apply("echo", "[6]");
  ASSERT_TRUE(ready.wait(kPatience));
  EXPECT_EQ(run(value_of(ready)), "6");
}

asio::awaitable<std::string> values_as_they_come(client::AsyncResult result) {
  std::string indexes;
  for (std::size_t count = 1; count <= result.size(); ++count) {
    co_await result.async_wait_for(count, asio::use_awaitable);
    while (const auto index = result.next(std::chrono::nanoseconds(0))) indexes += std::to_string(*index);
    if (count == 1) result.abort();
  }
  co_return indexes;
}

TEST_F(ViewsTest, ACoroutineTakesResultsAsTheyCome) {
  start(2);
  const auto client = connect(2);
  EXPECT_EQ(run(values_as_they_come(client->load_balanced().map("sleep", {"[600]", "[0.001]"}))), "10");
}

// Which came first: the result, or the deadline.
asio::awaitable<std::string> result_or_deadline(client::AsyncResult result, std::chrono::milliseconds deadline) {
  asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
  const auto first = co_await (result.async_wait(asio::use_awaitable) || timer.async_wait(asio::use_awaitable));
  co_return first.index() == 0 ? "result" : "deadline";
}

TEST_F(ViewsTest, ADeadlineEndsTheWaitAndNotTheTask) {
  start(1);
  const auto client = connect(1);
  const auto slow = client->load_balanced().apply("sleep", "[600]");
  EXPECT_EQ(run(result_or_deadline(slow, std::chrono::milliseconds(10))), "deadline");
  EXPECT_FALSE(slow.ready());
  slow.abort();
  EXPECT_EQ(run(result_or_deadline(slow, kPatience)), "result");
  EXPECT_EQ(slow.metadata().status, wire::TaskStatus::cancelled);
}

TEST_F(ViewsTest, CancellationStopsAWaitAtOnce) {
  start(0);
  const auto client = connect(0);
  const auto result = client->load_balanced().apply("echo", "[1]");
  asio::io_context io;
  asio::cancellation_signal signal;
  boost::system::error_code told;
  result.async_wait(asio::bind_cancellation_slot(
      signal.slot(), asio::bind_executor(io.get_executor(), [&](boost::system::error_code error) { told = error; })));
  io.poll();
  EXPECT_FALSE(told);
  signal.emit(asio::cancellation_type::terminal);
  io.run_for(kPatience);
  EXPECT_EQ(told, asio::error::operation_aborted);
  EXPECT_FALSE(result.ready());
}

TEST_F(ViewsTest, WhoeverAwaitsIsToldWhenTheClientCloses) {
  start(1);
  auto client = connect(1);
  const auto result = client->load_balanced().apply("sleep", "[600]");
  asio::io_context io;
  bool told = false;
  result.async_wait(asio::bind_executor(io.get_executor(), [&](boost::system::error_code) { told = true; }));
  client.reset();
  io.run_for(kPatience);
  EXPECT_TRUE(told);
  EXPECT_EQ(result.metadata().status, wire::TaskStatus::outcome_unknown);
}

// ---- the queue's limit ----

// Submits more than the window holds, one after another, and counts the values.
asio::awaitable<int> submit_many(client::LoadBalancedView view, int count) {
  std::vector<client::AsyncResult> results;
  for (int i = 0; i < count; ++i) results.push_back(co_await view.async_apply("echo", "[1]", asio::use_awaitable));
  int values = 0;
  for (const auto& result : results) {
    co_await result.async_wait(asio::use_awaitable);
    values += text(result.get()) == "1" ? 1 : 0;
  }
  co_return values;
}

TEST_F(ViewsTest, AtTheLimitACoroutineSuspendsAndEveryTaskRuns) {
  start(1, {}, 1, {"--max-tasks", "1024"});
  const auto client = connect(1);
  EXPECT_EQ(run(submit_many(client->load_balanced(), 3000)), 3000);
}

TEST_F(ViewsTest, ACoroutineMayLiveOnTheClientsOwnLoop) {
  start(1, {}, 1, {"--max-tasks", "1024"});
  connect(1);  // waits for the engine
  asio::io_context io;
  auto connected = client::Client::connect(client_options(), io);
  ASSERT_TRUE(connected);
  int values = 0;
  asio::co_spawn(io, submit_many((*connected)->load_balanced(), 1500), [&](const std::exception_ptr& error, int count) {
    EXPECT_FALSE(error);
    values = count;
    io.stop();
  });
  io.run_for(kPatience);
  EXPECT_EQ(values, 1500);
}

TEST_F(ViewsTest, AtTheLimitTryApplySaysSoAndAWaitForRoomCanBeCancelled) {
  start(0, {}, 1, {"--max-tasks", "1024"});
  const auto client = connect(0);
  auto view = client->load_balanced();
  std::vector<client::AsyncResult> accepted;
  boost::system::error_code error;
  while (!error) {
    auto one = view.try_apply("echo", "[1]");
    if (one) {
      accepted.push_back(*one);
    } else {
      error = one.error();
    }
    ASSERT_LE(accepted.size(), 1024U);
  }
  EXPECT_EQ(error, client::Errc::queue_full);
  asio::io_context io;
  asio::cancellation_signal signal;
  view.async_apply("echo", "[2]",
                   asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(io.get_executor(), [&](boost::system::error_code told, client::AsyncResult) {
                                                  error = told;
                                                })));
  signal.emit(asio::cancellation_type::terminal);
  io.run_for(kPatience);
  EXPECT_EQ(error, asio::error::operation_aborted);
  cluster->set_engines(1);
  for (const auto& one : accepted) EXPECT_EQ(text(one.get(kPatience)), "1");
  EXPECT_EQ(text(view.try_apply("echo", "[3]").value().get(kPatience)), "3");
}

TEST_F(ViewsTest, AViewThatOutlivesItsClientSaysThatItIsClosed) {
  start(0);
  auto client = connect(0);
  auto view = client->load_balanced();
  client.reset();
  EXPECT_THROW(view.apply("echo", "[1]"), std::runtime_error);
  EXPECT_THROW(view.map("echo", numbers(3)), std::runtime_error);
  EXPECT_EQ(view.try_apply("echo", "[1]").error(), client::Errc::closed);
  asio::io_context io;
  boost::system::error_code error;
  view.async_apply("echo", "[1]", asio::bind_executor(io.get_executor(), [&](boost::system::error_code told, const client::AsyncResult& result) {
                     error = told;
                     EXPECT_EQ(result.size(), 0U);
                   }));
  io.run_for(kPatience);
  EXPECT_EQ(error, client::Errc::closed);
}

}  // namespace
}  // namespace covey::integration
