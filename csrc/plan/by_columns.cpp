// Steps and predictions whose work is split by the columns of what the stages give: see DenseByColumns.
#include "plan/call.hpp"

namespace pynet {
namespace {

template <class T>
Region columns_of(const Stage<T>& stage, Index part, Index rows) {
    const Index panel = kernels<T>().product.panel;
    return {0, rows, cut(stage.out, part, stage.parts, panel), cut(stage.out, part + 1, stage.parts, panel)};
}

// f(rows) for the rows of every part.
template <class F>
void for_rows(Team& team, Index parts, Index rows, const F& f) {
    team.share(parts, [&](Index part) {
        const Index first = cut(rows, part, parts, 1), last = cut(rows, part + 1, parts, 1);
        if (first < last) f(Chunk{first, last - first, first});
    });
}

}  // namespace

// A stage's outputs are packed by whoever has computed them, for the stage that comes next.
template <class T>
void Plan<T>::forward_by_columns(Team& team, const Call& call) {
    const Index rows = call.rows, panel = kernels<T>().product.panel;
    const bool packed = frozen_ && rows >= rows_worth_packing;  // below, one pass over the weights as they lie
    team.share(parts_, [&](Index part) {
        for (auto& stage : stages_) stage->prepare(part, parts_, rows);
        if (packed || !stages_.front()->dense) return;
        stages_.front()->by_columns->pack_input(cut(in_, part, parts_, panel), cut(in_, part + 1, parts_, panel),
                                                call.learning());
    });
    for (std::size_t s = 0; s < stages_.size(); ++s) {
        Stage<T>& stage = *stages_[s];
        if (stage.row_operation) {
            for_rows(team, parts_, rows, [&](Chunk chunk) { stage.forward_rows(chunk); });
            if (s + 1 == stages_.size() || !stages_[s + 1]->dense || packed) continue;
        }
        team.share(stage.parts, [&](Index part) {
            const Region own = columns_of(stage, part, rows);
            if (stage.dense && packed) {
                stage.by_rows->forward_columns(0, rows, 0, own.first_column, own.last_column);
            } else {
                stage.forward_columns(rows, own.first_column, own.last_column);
            }
            stage.operate(own);
            if (!packed && s + 1 < stages_.size() && stages_[s + 1]->dense) {
                stages_[s + 1]->by_columns->pack_input(own.first_column, own.last_column, call.learning());
            }
        });
    }
}

template <class T>
void Plan<T>::predict_by_columns(Team& team, Call& call) {
    forward_by_columns(team, call);
    team.share(parts_, [&](Index part) {
        const Index first = cut(call.rows, part, parts_, 1), last = cut(call.rows, part + 1, parts_, 1);
        copy_rows(stages_.back()->output.at(first, 0), last - first, out_, call.y + first * out_);
    });
}

template <class T>
void Plan<T>::step_by_columns(Team& team, Call& call) {
    const Index rows = call.rows, panel = kernels<T>().product.panel;
    forward_by_columns(team, call);
    const Stage<T>& last_stage = *stages_.back();
    team.share(parts_, [&](Index part) {
        const Index first = cut(rows, part, parts_, 1), last = cut(rows, part + 1, parts_, 1);
        if (first == last) return;
        const T* output = last_stage.output.at(first, 0);
        sums_.data()[part] = criterion_->forward_backward(output, call.target, last_stage.gradient.at(first, 0), first,
                                                          last, out_, call.divisor);
        copy_rows(output, last - first, out_, outputs_.data() + first * out_);
    });
    if (!loss_is_in_order(call)) return;
    for (std::size_t s = stages_.size(); s-- > 0;) {
        Stage<T>& stage = *stages_[s];
        if (!stage.is_reached) continue;
        const bool first = stage.dense && stage.dense->first;
        const bool by_inputs = stage.dense && !first && stage.by_columns->gradient_by_inputs();
        const auto to_operations = [&](Index part) {
            const Region own = columns_of(stage, part, rows);
            if (s + 1 < stages_.size() && stages_[s + 1]->input_gradient.parts > 1) {
                const PartialSums<T>& sums = stages_[s + 1]->input_gradient;
                kernels<T>().product.add_up(sums.first.at(0, own.first_column), sums.parts, sums.apart,
                                            sums.first.stride, rows, own.columns(),
                                            stage.gradient.at(0, own.first_column));
            }
            stage.operate_back(own, call.learner);
        };
        if (by_inputs) {
            team.share(stage.parts, to_operations);
            team.share(parts_, [&](Index part) {
                stage.by_columns->input_gradient(part, cut(stage.in, part, parts_, panel),
                                                 cut(stage.in, part + 1, parts_, panel), stage.gradient,
                                                 stage.input_gradient.first);
            });
        }
        team.share(stage.parts, [&](Index part) {
            if (!by_inputs) to_operations(part);
            const Region own = columns_of(stage, part, rows);
            if (stage.dense) {
                const Matrix<T> to = first || by_inputs ? Matrix<T>{} : stage.input_gradient.of(part);
                stage.by_columns->backward(part, own.first_column, own.last_column, stage.gradient, to, call.learner);
            }
        });
        if (stage.row_operation) {
            for_rows(team, parts_, rows, [&](Chunk chunk) { stage.backward_whole_rows(chunk); });
            if (stage.row_operation->learns()) {
                team.share(parts_, [&](Index part) { stage.row_operation->learn(rows, part, parts_, call.learner); });
            }
        }
    }
    if (call.learner.later) clip(team);
}

template void Plan<float>::predict_by_columns(Team&, Call&);
template void Plan<double>::predict_by_columns(Team&, Call&);
template void Plan<float>::step_by_columns(Team&, Call&);
template void Plan<double>::step_by_columns(Team&, Call&);

}  // namespace pynet
