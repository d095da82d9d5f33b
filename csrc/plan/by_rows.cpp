// Steps and predictions whose work is split by the rows of the batch: see DenseByRows.
#include "plan/call.hpp"

namespace pynet {

// f(chunk, its number) for the rows of a part, a few at a time: what is computed of them stays in the cache.
template <class T>
template <class F>
void Plan<T>::for_chunks(Index part, Index rows, const F& f) const {
    const Index begin = cut(rows, part, parts_, 1), size = cut(rows, part + 1, parts_, 1) - begin;
    const Index chunks = (size + chunk_ - 1) / chunk_;
    for (Index c = 0; c < chunks; ++c) {
        const Index first = cut(size, c, chunks, 1), last = cut(size, c + 1, chunks, 1);
        f(Chunk{begin + first, last - first, part * chunk_}, c);
    }
}

template <class T>
void Plan<T>::prepare_by_rows(Team& team, const Call& call) {
    team.share(parts_, [&](Index part) {
        for (auto& stage : stages_) {
            stage->prepare(part, parts_, call.rows);
            if (stage->dense && !frozen_) stage->by_rows->pack_weight(part, parts_, call.learning());
        }
    });
}

// Returns its output, which it also leaves at `to`.
template <class T>
const T* Plan<T>::forward(const Chunk& chunk, T* to) {
    for (auto& stage : stages_) {
        stage->forward_rows(chunk);
        stage->operate(chunk.region(stage->out));
    }
    const T* output = stages_.back()->output.at(chunk.base, 0);
    copy_rows(output, chunk.count, out_, to + chunk.first * out_);
    return output;
}

template <class T>
void Plan<T>::backward(const Chunk& chunk, typename DenseByRows<T>::Sums sums, const Call& call) {
    for (std::size_t s = stages_.size(); s-- > 0;) {
        Stage<T>& stage = *stages_[s];
        if (!stage.is_reached) continue;
        stage.operate_back(chunk.region(stage.out), call.learner);
        stage.backward_rows(chunk, sums);
    }
}

template <class T>
void Plan<T>::predict_by_rows(Team& team, Call& call) {
    prepare_by_rows(team, call);
    team.share(parts_, [&](Index part) {
        for_chunks(part, call.rows, [&](const Chunk& chunk, Index) { forward(chunk, call.y); });
    });
}

template <class T>
void Plan<T>::step_by_rows(Team& team, Call& call) {
    prepare_by_rows(team, call);
    // Every part has a gradient of its own, and their sum is ((first + second) + third) ...: where a part is one chunk,
    // and one member does all, it may as well add each to what is there.
    const bool one_sum = team.is_one() && chunk_ * parts_ >= call.rows;
    team.share(parts_, [&](Index part) {
        for_chunks(part, call.rows, [&](const Chunk& chunk, Index number) {
            const T* output = forward(chunk, outputs_.data());
            sums_.data()[part] +=
                criterion_->forward_backward(output, call.target, stages_.back()->gradient.at(chunk.base, 0),
                                             chunk.first, chunk.first + chunk.count, out_, call.divisor);
            backward(chunk, {part, one_sum ? 0 : part, number == 0, number == 0 && !(one_sum && part > 0)}, call);
        });
    });
    if (!loss_is_in_order(call)) return;
    team.share(parts_, [&](Index part) {
        for (auto& stage : stages_) {
            if (stage->dense) stage->by_rows->learn(part, parts_, one_sum ? 1 : parts_, call.learner);
        }
    });
    if (call.learner.later) clip(team);
}

template void Plan<float>::predict_by_rows(Team&, Call&);
template void Plan<double>::predict_by_rows(Team&, Call&);
template void Plan<float>::step_by_rows(Team&, Call&);
template void Plan<double>::step_by_rows(Team&, Call&);

}  // namespace pynet
