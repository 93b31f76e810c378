#pragma once
// `watch` of a task or a service. inotify watches the folders that can contain a match and are not ignored.
// Changes are collected until none has come for its `debounce`.

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unit/spec/spec.hpp"
#include "unit/watch/kept_watch.hpp"

namespace hob::unit {

class file_trigger {
public:
    // `paths`: relative to `root`, sorted, each once. `note`: what happened, where the paths are not known.
    using callback = std::function<void(std::vector<std::string> paths, const std::string& note)>;

    // Its coroutine adds the watches; the log says when it is done. shared: the coroutine holds it until
    // stop().
    // `kept`: as the next daemon is to find it.
    static std::shared_ptr<file_trigger> make(const boost::asio::any_io_executor& executor,
                                              const std::string& root, const unit_spec& spec,
                                              callback on_change, kept_watch kept = {});
    ~file_trigger();

    void stop();

    // Postpones a change that was reported: it is reported again after report_deferred(), together with later
    // changes.
    void defer(std::vector<std::string> paths, const std::string& note);
    void report_deferred();

private:
    struct state;
    explicit file_trigger(std::shared_ptr<state> made) : state_(std::move(made)) {}
    std::shared_ptr<state> state_;  // also held by its coroutines
};

}  // namespace hob::unit
