#pragma once
// What units print, on standard output of a daemon in the foreground. The daemon never waits for the reader:
// what that does not take in time is counted and left out.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cmd/core/log_text.hpp"
#include "cmd/core/unit_prefix.hpp"
#include "util/live_output.hpp"

namespace hob::cmd {

class foreground_output : public std::enable_shared_from_this<foreground_output> {
public:
    // `json`: each line is an object.
    explicit foreground_output(bool json);

    void use(boost::asio::any_io_executor executor) { executor_ = std::move(executor); }
    void show(std::string_view unit, std::string_view line);
    // Blocks, for limits::last_output_timeout at most, until all is written. Call it once the daemon's loop
    // has ended.
    void finish();

private:
    std::string text_of(std::string_view unit, std::string_view line);
    bool write_queued();  // false: the reader takes no more now
    boost::asio::awaitable<void> write_rest();

    const bool json_;
    boost::asio::any_io_executor executor_;
    util::live_output to_;
    log_style style_;
    unit_prefix prefix_;
    std::string queue_;
    std::uint64_t left_out_ = 0;  // lines, since the last one that was shown
    bool writing_ = false;        // write_rest() runs
    bool gone_ = false;           // nobody reads
};

}  // namespace hob::cmd
