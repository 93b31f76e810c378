#pragma once
// Writes to a descriptor that other processes share, such as standard output, without ever waiting for its
// reader.

#include <cstddef>
#include <optional>
#include <string_view>

#include "util/fd.hpp"

namespace hob::util {

class live_output {
public:
    // `descriptor` stays open for as long as this lives.
    explicit live_output(int descriptor);

    // For poll(2): POLLOUT when write() will take something.
    int descriptor() const { return own_ ? own_.get() : shared_; }

    // The number of bytes that were taken; 0: none can be taken now. nullopt: nobody reads any more, or
    // another error in errno.
    std::optional<std::size_t> write(std::string_view bytes) const;

private:
    enum class kind { waits, nonblocking, socket, file };

    int shared_;
    unique_fd own_;  // opened anew: O_NONBLOCK on the shared one would change it for everybody
    kind kind_ = kind::waits;
};

}  // namespace hob::util
