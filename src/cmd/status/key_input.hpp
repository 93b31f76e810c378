#pragma once
// Single keys from the terminal on standard input, read without waiting for a newline and without echo.

namespace hob::cmd {

// One at a time. The terminal's settings are restored by the destructor, and by SIGINT, SIGTERM and SIGHUP:
// SIGINT then ends the process with status 0, the others end it as they do by default.
class key_input {
public:
    key_input();
    ~key_input();
    key_input(const key_input&) = delete;
    key_input& operator=(const key_input&) = delete;

    int descriptor() const { return active_ ? 0 : -1; }  // -1: standard input is not our terminal
    // After poll() found the descriptor readable. False at the end of input, after which it is not active any
    // more.
    bool read_key(char& key);

private:
    void restore();
    bool active_ = false;
};

}  // namespace hob::cmd
