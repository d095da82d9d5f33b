#include "plan/plan.hpp"

#include <cmath>

#include "plan/call.hpp"
#include "runtime/denormals.hpp"

namespace pynet {
namespace {

// Measured on 2 cores. A second thread pays from 4 million operations on, or, for a single row, which has to read all
// weights for a few operations each, from 100,000 weights on; more parts only where each has much to do, for their sums
// cost time.
Index parts_of_work(double operations, double weights, bool single_row) {
    if (single_row) return weights < 1e5 ? 1 : weights < 4e6 ? 2 : 4;
    return operations < 4e6 ? 1 : operations < 250e6 ? 2 : operations < 4e9 ? 4 : 8;
}

constexpr Index chunk_rows = 196;              // whole tiles of 14 rows whose values stay in the second cache
constexpr double weights_worth_packing = 5e5;  // up to so many: every part has a gradient of them all

}  // namespace

template <class T>
Plan<T>::Plan() = default;
template <class T>
Plan<T>::~Plan() = default;

// ---------------------------------------------------------------------------------------------------- description

template <class T>
Stage<T>& Plan<T>::stage_for_operations() {
    if (stages_.empty() || stages_.back()->row_operation) stages_.push_back(std::make_unique<Stage<T>>());
    return *stages_.back();
}

template <class T>
void Plan<T>::add(std::unique_ptr<Operation<T>> operation) {
    mixes_rows_ = mixes_rows_ || operation->mixes_rows();
    stage_for_operations().operations.push_back(std::move(operation));
}

template <class T>
void Plan<T>::add_rows(std::unique_ptr<RowOperation<T>> operation, Index in, Index out) {
    mixes_rows_ = mixes_rows_ || operation->learns();  // gradients of parameters are sums over all rows
    stages_.push_back(std::make_unique<Stage<T>>());
    stages_.back()->in = in;
    stages_.back()->out = out;
    stages_.back()->row_operation = std::move(operation);
}

template <class T>
void Plan<T>::add_linear(Parameter<T> weight, Parameter<T> bias, Index in, Index out) {
    auto stage = std::make_unique<Stage<T>>();
    stage->in = in;
    stage->out = out;
    stage->dense = std::make_unique<Dense<T>>();
    stage->dense->weight = weight;
    stage->dense->bias = bias;
    stage->dense->in = in;
    stage->dense->out = out;
    stage->by_columns = std::make_unique<DenseByColumns<T>>(*stage->dense);
    stage->by_rows = std::make_unique<DenseByRows<T>>(*stage->dense);
    stages_.push_back(std::move(stage));
}

template <class T>
void Plan<T>::add_relu() {
    add(std::make_unique<ActivationOperation<T>>(kernels<T>().relu, true));
    if (stages_.back()->operations.size() == 1) stages_.back()->take_relu();
}

template <class T>
void Plan<T>::add_prelu(Parameter<T> weight) {
    if (weight.size > 1) {
        stage_for_operations().out = weight.size;
        return add(std::make_unique<PreluOperation<T>>(weight));
    }
    stages_.push_back(std::make_unique<Stage<T>>());
    add(std::make_unique<SharedPreluOperation<T>>(weight));
}

template <class T>
void Plan<T>::add_softmax() {
    add_rows(std::make_unique<SoftmaxOperation<T>>(kernels<T>().softmax, true));
}

template <class T>
void Plan<T>::add_log_softmax() {
    add_rows(std::make_unique<SoftmaxOperation<T>>(kernels<T>().log_softmax, false));
}

template <class T>
void Plan<T>::add_dropout(double p) {
    auto dropout = std::make_unique<DropoutOperation<T>>(p);
    dropouts_.push_back(dropout.get());
    add(std::move(dropout));
}

template <class T>
void Plan<T>::add_batch_norm(BatchNormArrays<T> arrays, Index channels) {
    Stage<T>& stage = stage_for_operations();
    stage.out = channels;
    add(std::make_unique<BatchNormOperation<T>>(arrays));
}

template <class T>
void Plan<T>::add_norm(Parameter<T> weight, Parameter<T> bias, Index columns, NormSizes of_one, NormOptions options) {
    add_rows(std::make_unique<NormOperation<T>>(weight, bias, of_one, options), columns, columns);
}

template <class T>
void Plan<T>::add_embedding(Parameter<T> weight, Index columns, Index dim, Index padding) {
    auto operation = std::make_unique<EmbeddingOperation<T>>(weight, dim, padding);
    embeddings_.push_back(operation.get());
    add_rows(std::move(operation), columns, columns * dim);
}

template <class T>
void Plan<T>::add_columns(std::vector<Index> columns, Index in) {
    const Index out = Index(columns.size());
    add_rows(std::make_unique<ColumnsOperation<T>>(std::move(columns)), in, out);
}

template <class T>
void Plan<T>::begin_residual() {
    auto start = std::make_unique<BranchOperation<T>>();
    open_.push_back(start.get());
    add(std::move(start));
}

template <class T>
void Plan<T>::end_residual() {
    add(std::make_unique<JoinOperation<T>>(*open_.back()));
    open_.pop_back();
}

template <class T>
void Plan<T>::begin_parallel(Index columns) {
    auto fork = std::make_unique<ForkOperation<T>>(columns);
    forks_.push_back(fork.get());
    add_rows(std::move(fork), columns, columns);
}

template <class T>
void Plan<T>::next_branch() {
    ForkOperation<T>& fork = *forks_.back();
    auto next = std::make_unique<SwitchOperation<T>>(fork);
    fork.switches.push_back(next.get());
    add_rows(std::move(next), 0, fork.columns);
}

template <class T>
void Plan<T>::end_parallel(bool adds, Index columns) {
    auto merge = std::make_unique<MergeOperation<T>>(*forks_.back(), adds);
    forks_.back()->merge = merge.get();
    forks_.pop_back();
    add_rows(std::move(merge), 0, columns);
}

template <class T>
void Plan<T>::set_criterion(std::unique_ptr<Criterion<T>> criterion) {
    criterion_ = std::move(criterion);
}

template <class T>
void Plan<T>::close(Index in) {
    // Operations and SoftMax have as many columns as what stands before or behind them.
    Index columns = in;
    for (auto& stage : stages_) {
        if (!stage->out) stage->out = columns;
        if (!stage->in) stage->in = columns ? columns : stage->out;
        columns = stage->out;
    }
    for (std::size_t s = stages_.size(); s-- > 0;) {
        if (!stages_[s]->out) stages_[s]->out = stages_[s]->in = columns;
        columns = stages_[s]->in;
    }
    in_ = stages_.front()->in;
    out_ = stages_.back()->out;
    stages_.front()->is_first = true;
    stages_.front()->copies_input = !stages_.front()->dense && !stages_.front()->row_operation;
    bool learned_before = false;
    for (std::size_t s = 0; s < stages_.size(); ++s) {
        Stage<T>& stage = *stages_[s];
        const bool last = s + 1 == stages_.size();
        // A SoftMax wants it so, and a stage of operations alone lies where the one before it does.
        stage.without_gaps = last || !stages_[s + 1]->dense;
        const std::size_t learning = parameters_.size();
        if (stage.dense) {
            stage.dense->first = !learned_before;
            weights_ += double(stage.dense->weight.size);
            for (Parameter<T>* p : {&stage.dense->weight, &stage.dense->bias}) {
                if (p->learns()) parameters_.push_back(p);
            }
        }
        bool learns = learned_before;
        if (stage.row_operation) {
            stage.row_operation->collect(parameters_);
            learns = stage.row_operation->comes_after_learning(learned_before);
        }
        for (auto& operation : stage.operations) operation->collect(parameters_);
        learns = learns || parameters_.size() > learning;
        stage.is_reached = learned_before || learns;
        learned_before = learns;
    }
}

template <class T>
bool Plan<T>::needs_two_rows() const {
    for (const auto& stage : stages_) {
        for (const auto& operation : stage->operations) {
            if (operation->needs_two_rows()) return true;
        }
    }
    return false;
}

template <class T>
double Plan<T>::operations(Index rows, bool learning) const {
    return (learning ? 6 : 2) * double(rows) * weights_;
}

// -------------------------------------------------------------------------------------------------------- memory

template <class T>
typename Plan<T>::Schedule Plan<T>::schedule_for(Index rows) const {
    if (rows == 1) return Schedule::by_columns;
    if (frozen_) return weights_ < weights_worth_packing ? Schedule::by_rows : Schedule::by_columns;
    if (criterion_ && mixes_rows_) return Schedule::by_columns;
    return rows >= rows_worth_packing && weights_ < weights_worth_packing ? Schedule::by_rows : Schedule::by_columns;
}

template <class T>
void Plan<T>::reserve(Index rows) {
    if (rows == rows_) return;
    rows_ = 0;
    arrange(rows);
    rows_ = rows;
}

template <class T>
void Plan<T>::arrange(Index rows) {
    const bool learning = criterion_ != nullptr;
    schedule_ = schedule_for(rows);
    constexpr double cost = double(sizeof(T)) / sizeof(float);  // of an operation: half as many fit a vector
    parts_ = parts_of_work(cost * operations(rows, learning), weights_, rows == 1);
    if (parts_ > rows && schedule_ == Schedule::by_rows) parts_ = rows;
    const Index share_of_rows = (rows + parts_ - 1) / parts_;
    chunk_ = share_of_rows < chunk_rows ? share_of_rows : chunk_rows;
    const Index at_once = schedule_ == Schedule::by_rows ? parts_ * chunk_ : rows;
    const Index panel = kernels<T>().product.panel;

    Matrix<T> input{nullptr, in_, in_};
    for (auto& stage : stages_) {
        stage->arrange(input, at_once);
        stage->parts = stage->mixes_columns() ? 1 : parts_;
        const Index panels = (stage->out + panel - 1) / panel;
        if (stage->parts > panels) stage->parts = panels;
        if (stage->row_operation) stage->row_operation->reserve(rows);
        for (auto& operation : stage->operations) operation->reserve(rows);
        if (stage->dense && schedule_ == Schedule::by_columns) stage->by_columns->reserve(rows, parts_, learning);
        if (stage->dense && schedule_ == Schedule::by_rows) stage->by_rows->reserve(chunk_, parts_, learning);
        input = stage->output;
    }
    outputs_.grow(rows * out_);  // the last step's output can still be asked for, should this one come to nothing
    if (!learning) return;

    Stage<T>& end = *stages_.back();
    end.backward_is_done =
        end.row_operation && end.row_operation->is_softmax() && criterion_->reaches_through_softmax();
    sums_.reserve(3 * parts_);
    loss_gradients_.reserve(at_once * out_);
    for (std::size_t s = stages_.size(); s-- > 0;) {
        Stage<T>& stage = *stages_[s];
        // The gradient at its output: the criterion's, or the sum of what the next stage's parts have computed.
        if (s + 1 == stages_.size()) {
            stage.gradient = {loss_gradients_.data(), out_, out_};
        } else if (stages_[s + 1]->input_gradient.parts == 1) {
            stage.gradient = stages_[s + 1]->input_gradient.first;
        } else {
            stage.arrange_gradient(at_once);
        }
        if (s == 0) continue;
        Stage<T>& before = *stages_[s - 1];
        before.relu_done_back = stage.dense && !stage.dense->first && schedule_ == Schedule::by_rows &&
                                before.relu_in_product && before.operations.size() == 1;
        if (stage.dense) stage.dense->gated = before.relu_done_back;
        if (stage.dense && stage.dense->first) {
            stage.input_gradient.parts = 1;
            continue;
        }
        if (stage.backward_is_done || (!stage.dense && !stage.row_operation)) {  // in place
            stage.input_gradient.parts = 1;
            stage.input_gradient.first = stage.gradient;
            continue;
        }
        const bool partly = stage.dense && schedule_ == Schedule::by_columns && !stage.by_columns->gradient_by_inputs();
        const Index parts = partly ? stage.parts : 1;
        stage.input_gradient.reserve(parts, at_once, stage.input);
    }
    for (auto& stage : stages_) {
        if (!stage->row_operation) continue;
        stage->row_operation->gradient = stage->gradient;
        stage->row_operation->input_gradient = stage->input_gradient.first;
    }
}

// --------------------------------------------------------------------------------------------------------- steps

template <class T>
void Plan<T>::run(Call& call) {
    struct Job {
        Plan& plan;
        Call& call;
        static void run(void* context, Team& team) {
            Job& job = *static_cast<Job*>(context);
            const FlushDenormals flush(job.call.learning());
            const bool rows = job.plan.schedule_ == Schedule::by_rows;
            if (job.call.learning()) {
                rows ? job.plan.step_by_rows(team, job.call) : job.plan.step_by_columns(team, job.call);
            } else {
                rows ? job.plan.predict_by_rows(team, job.call) : job.plan.predict_by_columns(team, job.call);
            }
        }
    } job{*this, call};
    stages_.front()->read(call.x);
    for (auto* embedding : embeddings_) embedding->refuses = false;
    parallel_team(parts_, Job::run, &job);
}

template <class T>
bool Plan<T>::loss_is_in_order(const Call& call) const {
    return !call.options.must_be_finite || std::isfinite(loss_of(call));
}

template <class T>
bool Plan<T>::has_refused() const {
    for (const auto* embedding : embeddings_) {
        if (embedding->refuses) return true;
    }
    return false;
}

template <class T>
T Plan<T>::loss_of(const Call& call) const {
    if (has_refused()) return T(NAN);
    double sum = 0;
    for (Index part = 0; part < parts_; ++part) sum += sums_.data()[part];
    return T(sum / call.divisor);
}

template <class T>
double Plan<T>::step(const T* x, Target<T> target, Index rows, StepOptions options) {
    reserve(rows);
    options.must_be_finite = options.must_be_finite || refuses();
    Call call{x, nullptr, target, rows, options, {&optimizer, options.keep_gradients, optimizer.clip.any()}};
    call.divisor = divisor(target, rows);
    optimizer.begin(parameters_);
    Index clipped = 0;
    for (Parameter<T>* p : parameters_) {
        p->place = p->gradient;
        if (!options.keep_gradients && call.learner.later) clipped += p->size;
    }
    if (clipped) {
        T* place = clipped_.reserve(clipped);
        for (Parameter<T>* p : parameters_) {
            p->place = place;
            place += p->size;
        }
    }
    for (Index part = 0; part < parts_; ++part) sums_.data()[part] = 0;
    run(call);
    const T loss = loss_of(call);
    if (!loss_is_in_order(call)) return loss;
    optimizer.count(parameters_);
    for (auto& stage : stages_) {
        for (auto& operation : stage->operations) operation->finish();
    }
    return loss;
}

// --------------------------------------------------------------------------------------------------- predictions

template <class T>
void Plan<T>::freeze() {
    for (auto& stage : stages_) stage->freeze();
    frozen_ = true;
    rows_ = 0;  // everything has to be laid out anew
}

template <class T>
void Plan<T>::predict(const T* x, Index rows, T* y) {
    reserve(rows);
    Call call{x, y, {}, rows, {}, {}};
    run(call);
}

template class Plan<float>;
template class Plan<double>;

}  // namespace pynet
