// Runs a function in a forked process.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

// The exit code that f() gives, 99 when it throws, or -1 when the process was killed: after 20 seconds it is.
template <class F>
int in_child(const F& f) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        try {
            _exit(f());
        } catch (const std::exception&) {
            _exit(99);
        }
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
