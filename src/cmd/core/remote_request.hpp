#pragma once
// What one end of `-H HOST` tells the other. The request is one word of letters, digits, `-` and `_`, so that
// every login shell passes it on unchanged. Standard input travels in frames: its end is a frame of its own,
// and the end of the stream means that the caller is gone or has cancelled. Standard output is untouched. On
// standard error the far end writes two marks, a line each: when it begins, and with the exit status.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hob::cmd {

// [user@]host[:directory] of the command line. The host of an IPv6 address stands in brackets.
struct remote_target {
    std::string host;       // with the user, as ssh takes it
    std::string directory;  // empty: the home directory there
};

// Throws failure(usage): also for what ssh, or a shell that ssh starts, could take for something else.
remote_target parse_remote_target(const std::string& text);

struct remote_request {
    std::string id;  // of the marks
    std::string directory;
    std::string columns;             // the width of the caller's terminal
    std::vector<std::string> words;  // the command line, without -H
};

// The first argument of the far end: this and the word.
inline constexpr std::string_view remote_option = "--over-ssh=";

std::string remote_word(const remote_request& request);
// nullopt: it is of another version, or damaged.
std::optional<remote_request> parse_remote_word(std::string_view word);

// "\x01PROGRAM ID begins VERSION" and "\x01PROGRAM ID ends STATUS", each with a newline.
std::string remote_begins(const std::string& id);
std::string remote_ends(const std::string& id, int status);

std::string input_frame(std::string_view bytes);
inline constexpr std::string_view input_end_frame("\0\0\0\0", 4);

// Takes frames off a stream.
class frame_reader {
public:
    void add(std::string_view bytes) { buffered_.append(bytes); }
    // The bytes of the next whole frame, empty for the end of the input; nullopt: there is none yet.
    std::optional<std::string> next();

private:
    std::string buffered_;
};

}  // namespace hob::cmd
