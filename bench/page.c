/* The reference for `hob prompt`: maps the status page, takes the newer copy, checks whether its process lives,
 * prints a word. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct copy {
    char magic[8];
    uint32_t format, checksum;
    uint64_t generation, start_time;
    int64_t started_at;
    int32_t pid;
};

int main(int argc, char **argv) {
    const int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    const char *page = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) return 1;
    struct copy copies[2];
    memcpy(&copies[0], page, sizeof copies[0]);
    memcpy(&copies[1], page + 2048, sizeof copies[1]);
    const struct copy *newer = &copies[copies[1].generation > copies[0].generation];
    if (memcmp(newer->magic, "hobpage\n", 8) != 0 || kill(newer->pid, 0) != 0) return 1;
    return write(1, "hob\n", 4) != 4;
}
