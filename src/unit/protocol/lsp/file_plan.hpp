#pragma once
// Changes of files that are first planned as a whole and then written as a whole: each file is replaced by a
// rename, and when one of them fails, those that were written before are put back.

#include <sys/stat.h>

#include <cstddef>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace hob::unit {

// Why nothing was changed, for people.
class change_refused : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class file_plan {
public:
    // Only files below `root`, which has no symlinks. `expected_text` returns the text that the file at a
    // path must have, without its byte order mark; nullopt: the file must not be newer than `since`.
    using text_lookup = std::function<std::optional<std::string>(const std::string& path)>;
    file_plan(std::string root, timespec since, text_lookup expected_text);

    // All of these throw change_refused. Paths are absolute.
    bool exists(const std::string& path);
    std::string text(const std::string& path);  // without its byte order mark
    void set_text(const std::string& path, std::string text);
    void create(const std::string& path);  // empty
    void remove(const std::string& path);
    void rename(const std::string& from, const std::string& to);

    // Writes all changes. Throws change_refused: then nothing has changed, unless it says so.
    void write();
    // Relative to the root; what write() changes.
    std::vector<std::string> changed_files() const;

private:
    struct content {
        std::string bytes;
        mode_t mode = 0;
    };
    struct planned_file {
        std::optional<content> before;  // on the disk; nullopt: there is no file
        std::optional<content> after;
        struct stat status {};  // of `before`
        std::string temporary;  // with `after`, while it is written
        bool changed() const;
    };
    planned_file& load(const std::string& path);
    planned_file& existing(const std::string& path);
    void check_current(const std::string& path, const planned_file& file) const;
    void prepare(const std::string& path, planned_file& file) const;
    static void put(const std::string& path, planned_file& file);
    void put_back(const std::vector<std::string>& done);
    std::string shown(const std::string& path) const;

    std::string root_;
    timespec since_;
    text_lookup expected_text_;
    std::map<std::string, planned_file> files_;
};

}  // namespace hob::unit
