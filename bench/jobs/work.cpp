#include "bench/jobs/work.hpp"

#include <fmt/format.h>

#include "bench/jobs/problem.hpp"

namespace covey::jobs {

namespace {

// Holds only the inputs whose tasks are out.
class MapSource : public WorkSource {
 public:
  MapSource(const Step& step, const MapWork& map, const std::filesystem::path& folder, const Recovered& before)
      : step_(step), map_(map), before_(before), reader_(open_inputs(map.inputs, folder)) {}

  bool next(Work& into) override {
    Input input;
    do {
      if (done_ || !reader_->next(input)) {
        done_ = true;
        return false;
      }
      // The survey has counted them: more means that the file has changed since.
      if (input.index >= before_.ended.size())
        throw BadJob(reader_->place() + ": the file has grown while the job ran");
    } while (before_.ended[input.index]);
    into.index = input.index;
    into.function = map_.function;
    into.policy = &step_.task_policy;
    if (!map_.arguments.fill(input, into.arguments)) throw BadJob(reader_->place() + ": " + into.arguments);
    out_.emplace(input.index, std::move(input));
    return true;
  }
  void describe(Record& record) const override { record.input = &out_.at(record.index); }
  void on_ended(std::uint64_t index, bool) override { out_.erase(index); }
  bool next_skipped(std::uint64_t&, std::string&) override { return false; }

 private:
  const Step& step_;
  const MapWork& map_;
  const Recovered& before_;
  std::unique_ptr<InputReader> reader_;
  std::unordered_map<std::uint64_t, Input> out_;
  bool done_ = false;
};

class GraphSource : public WorkSource {
 public:
  GraphSource(const TasksWork& work, const Recovered& before) : work_(work), graph_(work) {
    for (std::size_t i = 0; i < work.tasks.size(); ++i) {
      if (before.ended[i]) graph_.on_ended(i, before.succeeded[i]);
    }
  }
  bool next(Work& into) override {
    const auto task = graph_.next_ready();
    if (!task) return false;
    const TaskItem& item = work_.tasks[*task];
    into = {*task, item.function, item.arguments, &item.policy};
    return true;
  }
  void describe(Record& record) const override { record.task = work_.tasks[record.index].name; }
  void on_ended(std::uint64_t index, bool ok) override { graph_.on_ended(index, ok); }
  bool next_skipped(std::uint64_t& index, std::string& why) override {
    const auto skipped = graph_.next_skipped();
    if (!skipped) return false;
    index = skipped->task;
    why = fmt::format("it comes after {}, which did not succeed", work_.tasks[skipped->because_of].name);
    return true;
  }

 private:
  const TasksWork& work_;
  Graph graph_;
};

}  // namespace

std::unique_ptr<WorkSource> open_work(const Step& step, const std::filesystem::path& folder, const Recovered& before) {
  if (const auto* map = std::get_if<MapWork>(&step.work))
    return std::make_unique<MapSource>(step, *map, folder, before);
  return std::make_unique<GraphSource>(std::get<TasksWork>(step.work), before);
}

}  // namespace covey::jobs
