#pragma once
// What several units print from now on, read from their logs: so the daemon never waits for a slow reader.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "util/deadline.hpp"
#include "util/fd.hpp"
#include "util/log/log_reader_follow.hpp"

namespace hob::cmd {

class unit_streams {
public:
    explicit unit_streams(const std::string& log_directory);

    // `inode` and `size`: the log and its end when the unit was asked to start; 0: it had none.
    void add(const std::string& unit, const std::string& log_path, std::uint64_t inode, std::uint64_t size);

    // Readable when a log has grown: call note_changes() and read(). -1: nothing tells it, see next_look().
    int descriptor() const { return inotify_.get(); }
    void note_changes();
    util::deadline next_look() const;

    // Passes on the lines that have come, those of all units together in the order of time, a part of them at
    // once. True: there may be more.
    using line_sink = std::function<void(const std::string& unit, std::string_view record)>;
    bool read(const line_sink& sink);
    // As if all logs had grown.
    void look_at_all();
    // The units whose logs were rotated away before they were read, since the last call.
    std::vector<std::string> take_losses();

private:
    struct source {
        std::string unit;
        std::string file_name;
        std::unique_ptr<util::log_follower> log;
        bool changed = true;
    };

    std::vector<source> sources_;
    util::unique_fd inotify_;
};

}  // namespace hob::cmd
