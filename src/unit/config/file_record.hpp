#pragma once
// The files that a configuration was read from, as they were: a daemon goes on with them when it takes over
// from one that died, whatever the files have become meanwhile.

#include <map>
#include <optional>
#include <string>

namespace hob::unit {

class file_record {
public:
    file_record() = default;
    // nullopt: `text` is none of text().
    static std::optional<file_record> parse(const std::string& text);
    std::string text() const;

    bool empty() const { return files_.empty(); }
    void add(const std::string& path, std::optional<std::string> bytes) { files_[path] = std::move(bytes); }
    // nullopt: it could not be read.
    std::optional<std::string> bytes_of(const std::string& path) const;

private:
    std::map<std::string, std::optional<std::string>> files_;
};

// While one exists, on this thread, the files of a configuration that are read are added to `into`, or are read
// from `from` instead of the disk.
class recorded_reading {
public:
    explicit recorded_reading(file_record* into, const file_record* from = nullptr);
    ~recorded_reading();
    recorded_reading(const recorded_reading&) = delete;
    recorded_reading& operator=(const recorded_reading&) = delete;

    static file_record* into();
    static const file_record* from();
};

}  // namespace hob::unit
