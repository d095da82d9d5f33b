// Lets other threads of Python run while this one computes.
#pragma once

#include <Python.h>
#include <unistd.h>

namespace pynet {

// While it lives, nothing of Python may be touched. Once Python has ended, this thread waits for the end of the
// process: before 3.14, Python would end it from within, which pybind11's own guard turns into the end of everything by
// abort().
class ReleasedGil {
 public:
    ReleasedGil() : state_(PyEval_SaveThread()) {}
    ~ReleasedGil() {
        try {
            PyEval_RestoreThread(state_);
        } catch (...) {  // what pthread_exit() unwinds with, which has no object
            for (;;) pause();
        }
    }
    ReleasedGil(const ReleasedGil&) = delete;
    ReleasedGil& operator=(const ReleasedGil&) = delete;

 private:
    PyThreadState* state_;
};

}  // namespace pynet
