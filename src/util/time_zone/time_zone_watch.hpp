#pragma once
// Notices that the machine's time zone has changed: /etc/localtime, or the file that it leads to.

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>

namespace hob::util {

class time_zone_watch {
public:
    // `path`: /etc/localtime. Before `changed` is called, this process has read the new zone. Throws
    // failure(denied) where inotify is not available.
    time_zone_watch(const boost::asio::any_io_executor& executor, std::string path,
                    std::function<void()> changed);
    ~time_zone_watch();
    time_zone_watch(const time_zone_watch&) = delete;
    time_zone_watch& operator=(const time_zone_watch&) = delete;

private:
    struct state;
    std::shared_ptr<state> state_;  // also held by the wait in progress
};

// Makes localtime() use the zone file as it is now. The C library reads a zone once, unless TZ changes.
void reload_time_zone();

}  // namespace hob::util
