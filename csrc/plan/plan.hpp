// A compiled network: a list of stages, a criterion and an optimizer, and the memory that a step needs. Knows no
// Python.
#pragma once

#include <memory>
#include <vector>

#include "plan/criterion.hpp"
#include "plan/dense_by_rows.hpp"
#include "plan/embedding.hpp"
#include "plan/norm.hpp"
#include "plan/operation.hpp"
#include "plan/optimizer.hpp"
#include "plan/parallel.hpp"
#include "plan/prelu.hpp"
#include "runtime/parallel.hpp"

namespace pynet {

template <class T>
class Stage;

// What a step is to do besides moving the parameters.
struct StepOptions {
    bool keep_gradients = false;  // leave them in the modules' arrays
    bool must_be_finite = false;  // move nothing if the loss is not
};

// Described once, layer by layer, then used for batches of any size. One call at a time.
template <class T>
class Plan {
 public:
    Plan();
    ~Plan();

    // The description: in the order of the layers, then close().
    void add_linear(Parameter<T> weight, Parameter<T> bias, Index in, Index out);
    void add_relu();
    template <class... Parameters>
    void add_activation(Activation<T, Parameters...> kernel, Parameters... parameters) {
        add(std::make_unique<ActivationOperation<T, Parameters...>>(kernel, false, parameters...));
    }
    void add_prelu(Parameter<T> weight);
    void add_softmax();
    void add_log_softmax();
    void add_dropout(double p);
    void add_batch_norm(BatchNormArrays<T> arrays, Index channels);
    void add_norm(Parameter<T> weight, Parameter<T> bias, Index columns, NormSizes of_one, NormOptions options);
    void add_embedding(Parameter<T> weight, Index columns, Index dim, Index padding);
    void add_columns(std::vector<Index> columns, Index in);
    void begin_residual();
    void end_residual();
    void begin_parallel(Index columns);
    void next_branch();
    void end_parallel(bool adds, Index columns);
    void close(Index in = 0);  // so many columns, if no layer says how many

    // For steps; without a criterion a plan can only predict.
    void set_criterion(std::unique_ptr<Criterion<T>> criterion);
    Optimizer<T> optimizer;

    // Takes copies of the Linears' parameters, packs them once, and folds a BatchNorm that comes next into them; other
    // arrays go on to be read where they lie.
    void freeze();

    Index in() const { return in_; }
    Index out() const { return out_; }
    bool needs_two_rows() const;
    double operations(Index rows, bool learning) const;
    const std::vector<Parameter<T>*>& parameters() const { return parameters_; }
    const std::vector<DropoutOperation<T>*>& dropouts() const { return dropouts_; }

    // Whether the numbers that the last call was given are some that a layer refuses: its results are nothing then.
    bool has_refused() const;

    // What the sum of the rows' losses is divided by: 0 if no row counts.
    double divisor(Target<T> target, Index rows) const { return criterion_->divisor(target, rows, out_); }

    Index target_columns() const { return criterion_->target_columns(out_); }
    // Whether there are numbers that a layer or the criterion refuses: the loss is NaN then, and nothing moves.
    bool refuses() const { return !embeddings_.empty() || (criterion_ && criterion_->refuses()); }

    // Memory for batches of so many rows: the only thing that can fail.
    void reserve(Index rows);

    // One training step on rows that have been reserved for: x (rows, in). Returns the loss.
    double step(const T* x, Target<T> target, Index rows, StepOptions options);
    // y (rows, out)
    void predict(const T* x, Index rows, T* y);
    // The output of the last step, (rows, out).
    const T* output() const { return outputs_.data(); }

 private:
    struct Call;
    enum class Schedule { by_columns, by_rows };

    Stage<T>& stage_for_operations();
    void add(std::unique_ptr<Operation<T>> operation);
    void add_rows(std::unique_ptr<RowOperation<T>> operation, Index in = 0, Index out = 0);
    Schedule schedule_for(Index rows) const;
    void arrange(Index rows);
    void run(Call& call);
    T loss_of(const Call& call) const;
    bool loss_is_in_order(const Call& call) const;
    void clip(Team& team);

    // by_columns.cpp
    void forward_by_columns(Team& team, const Call& call);
    void predict_by_columns(Team& team, Call& call);
    void step_by_columns(Team& team, Call& call);

    // by_rows.cpp
    template <class F>
    void for_chunks(Index part, Index rows, const F& f) const;
    void prepare_by_rows(Team& team, const Call& call);
    const T* forward(const Chunk& chunk, T* to);
    void backward(const Chunk& chunk, typename DenseByRows<T>::Sums sums, const Call& call);
    void predict_by_rows(Team& team, Call& call);
    void step_by_rows(Team& team, Call& call);

    std::vector<std::unique_ptr<Stage<T>>> stages_;
    std::unique_ptr<Criterion<T>> criterion_;
    std::vector<Parameter<T>*> parameters_;
    std::vector<DropoutOperation<T>*> dropouts_;
    std::vector<EmbeddingOperation<T>*> embeddings_;
    std::vector<BranchOperation<T>*> open_;  // Residuals that have not ended yet
    std::vector<ForkOperation<T>*> forks_;   // likewise of Parallels
    Index in_ = 0, out_ = 0;
    double weights_ = 0;
    bool mixes_rows_ = false, frozen_ = false;

    // For the present number of rows.
    Index rows_ = 0, parts_ = 1, chunk_ = 0;
    Schedule schedule_ = Schedule::by_columns;
    Buffer<T> outputs_, loss_gradients_, clipped_;
    Buffer<double> sums_;
};

}  // namespace pynet
