#pragma once
// What is still to be written to standard output, which may be slow.

#include <cstddef>
#include <string>
#include <string_view>

namespace hob::cmd {

class output_queue {
public:
    struct reader_gone {};  // standard output is closed

    void add(std::string_view bytes);
    std::size_t size() const { return bytes_.size() - written_; }
    // After poll(2) has reported standard output writable: writes without blocking. Returns what it has
    // written, until the next call. Throws reader_gone, failure(denied).
    std::string_view write_some();

private:
    std::string bytes_;
    std::size_t written_ = 0;
};

}  // namespace hob::cmd
