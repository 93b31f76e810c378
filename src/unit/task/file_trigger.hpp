#pragma once
// What a task's `watch` sees. Told by inotify: the folders that can hold a match are watched, those that are
// ignored are not. Changes are gathered until nothing has changed for the task's `debounce`.

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::unit {

class task_watch {
public:
    // `changed`: paths relative to `root`, sorted, each once; `note` instead of them where they are not
    // known.
    using sink = std::function<void(std::vector<std::string> paths, const std::string& note)>;

    // Watches once its own coroutine has gone over the tree. shared: that coroutine holds it until stop().
    static std::shared_ptr<task_watch> make(const boost::asio::any_io_executor& executor, std::string root,
                                            const unit_spec& spec, sink changed);
    ~task_watch();

    void stop();

    // Instead of a run now: what was given to `changed` comes again after run_ended(), with what came
    // meanwhile.
    void keep(std::vector<std::string> paths, const std::string& note);
    void run_ended();

private:
    struct state;
    explicit task_watch(std::shared_ptr<state> made) : state_(std::move(made)) {}
    std::shared_ptr<state> state_;  // also held by its coroutines
};

}  // namespace hob::unit
