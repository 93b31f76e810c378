#pragma once
// Reads a log forward line by line over all its files, so that several logs can be merged.

#include <optional>
#include <string>
#include <vector>

#include "util/log/log_reader.hpp"

namespace hob::util {

class log_cursor {
public:
    // `files`: oldest first, as open_log_files returns them. Of each file `size` bytes are read.
    explicit log_cursor(std::vector<open_log> files) : files_(std::move(files)) {}

    // The next line that is not empty, without its newline, including an unfinished last one. nullopt: the
    // end.
    std::optional<std::string> next();

private:
    bool fill();

    std::vector<open_log> files_;
    std::size_t file_ = 0;
    off_t offset_ = 0;
    std::string buffer_;
    std::size_t at_ = 0;  // in buffer_
};

}  // namespace hob::util
