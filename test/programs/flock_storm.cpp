// flock_storm FILE ROUNDS: takes an exclusive flock on FILE for an instant, as `pgrep -LF` does, ROUNDS times
// (0: until killed), opening it anew each time.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const long rounds = std::atol(argv[2]);
    for (long i = 0; rounds == 0 || i < rounds; ++i) {
        const int fd = ::open(argv[1], O_RDONLY);
        if (fd < 0) continue;
        ::flock(fd, LOCK_EX | LOCK_NB);
        ::close(fd);
    }
}
