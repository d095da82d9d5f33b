// What such a network computes and learns, written plainly, in double.
#pragma once

#include "networks_to_test.hpp"

// The value of an activation or its slope.
inline double activation(Kind kind, double x, bool derived) {
    if (kind == K::relu || kind == K::leaky_relu) {
        return (derived ? 1 : x) * (x > 0 ? 1 : kind == K::relu ? 0 : slope);
    }
    const double y = kind == K::sigmoid ? 1 / (1 + std::exp(-x)) : std::tanh(x);
    return !derived ? y : kind == K::sigmoid ? y * (1 - y) : 1 - y * y;
}

inline Values softmax(const Values& x, Index columns) {
    Values y(x.size());
    for (std::size_t n = 0; n < x.size(); n += columns) {
        double total = 0;
        for (std::size_t k = n; k < n + columns; ++k) total += y[k] = std::exp(x[k]);
        for (std::size_t k = n; k < n + columns; ++k) y[k] /= total;
    }
    return y;
}

inline std::vector<std::uint8_t> mask_of(const Module<double>& m, Index size) {
    std::vector<std::uint8_t> mask(size);
    pynet::kernels<double>().dropout.draw(mask.data(), 0, size, m.seed, dropped);
    return mask;
}

struct Normal {  // of a column
    double mean, variance, divisor;

    Normal(const Module<double>& m, const Values& x, Index c) : mean(0), variance(0) {
        const double rows = double(Index(x.size()) / m.in);
        for (std::size_t i = c; i < x.size(); i += m.in) mean += x[i] / rows;
        if (!m.training) mean = m.mean[c];
        for (std::size_t i = c; i < x.size(); i += m.in) variance += (x[i] - mean) * (x[i] - mean) / rows;
        if (!m.training) variance = m.var[c];
        divisor = std::sqrt(variance + bn_eps);
    }
    double of(double x) const { return (x - mean) / divisor; }
};

inline Values forward(const Module<double>& m, const Values& x) {
    const Index size = Index(x.size());
    if (m.kind == K::softmax) return softmax(x, m.in);
    Values y(size / m.in * m.out);
    if (m.kind == K::linear) {
        for (Index i = 0; i < Index(y.size()); ++i) {
            const double *from = &x[i / m.out * m.in], *weight = &m.weight.value[i % m.out * m.in];
            double sum = m.bias.at(i % m.out, 0);
            for (Index k = 0; k < m.in; ++k) sum += from[k] * weight[k];
            y[i] = sum;
        }
    } else if (m.kind == K::dropout) {
        const auto mask = mask_of(m, size);
        for (Index i = 0; i < size; ++i) y[i] = mask[i] * x[i] / (1 - dropped);
    } else if (m.kind == K::batch_norm) {
        for (Index c = 0; c < m.in; ++c) {
            const Normal normal(m, x, c);
            for (Index i = c; i < size; i += m.in) y[i] = normal.of(x[i]) * m.weight.at(c, 1) + m.bias.at(c, 0);
        }
    } else {
        for (Index i = 0; i < size; ++i) y[i] = activation(m.kind, x[i], false);
    }
    return y;
}

// The gradient at the input; those of the parameters, and running statistics, stay in the module.
inline Values backward(Module<double>& m, const Values& x, const Values& dy) {
    const Index size = Index(x.size());
    Values dx(size), &dw = m.weight.gradient, &db = m.bias.gradient;
    if (m.kind == K::linear) {
        for (Index i = 0; i < Index(dy.size()); ++i) {
            const Index n = i / m.out * m.in, o = i % m.out;
            const double *from = &x[n], *weight = &m.weight.value[o * m.in], g = dy[i];
            double *grad_from = &dx[n], *grad_weight = &dw[o * m.in];
            for (Index k = 0; k < m.in; ++k) grad_from[k] += g * weight[k];
            for (Index k = 0; k < m.in; ++k) grad_weight[k] += g * from[k];
            if (!db.empty()) db[o] += g;
        }
    } else if (m.kind == K::softmax) {
        const Values y = softmax(x, m.in);
        for (Index n = 0; n < size; n += m.in) {
            double sum = 0;
            for (Index k = n; k < n + m.in; ++k) sum += dy[k] * y[k];
            for (Index k = n; k < n + m.in; ++k) dx[k] = y[k] * (dy[k] - sum);
        }
    } else if (m.kind == K::dropout) {
        const auto mask = mask_of(m, size);
        for (Index i = 0; i < size; ++i) dx[i] = mask[i] * dy[i] / (1 - dropped);
    } else if (m.kind == K::batch_norm) {
        const double rows = double(size / m.in);
        for (Index c = 0; c < m.in; ++c) {
            const Normal normal(m, x, c);
            double sum = 0, product = 0;
            for (Index i = c; i < size; i += m.in) sum += dy[i], product += dy[i] * normal.of(x[i]);
            for (Index i = c; i < size; i += m.in) {
                const double through_batch = m.training ? (sum + normal.of(x[i]) * product) / rows : 0;
                dx[i] = m.weight.at(c, 1) / normal.divisor * (dy[i] - through_batch);
            }
            if (!db.empty()) db[c] = sum, dw[c] = product;
            if (!m.training) continue;
            m.mean[c] += bn_momentum * (normal.mean - m.mean[c]);
            m.var[c] += bn_momentum * (normal.variance * rows / (rows - 1) - m.var[c]);
        }
        m.batches += m.training;
    } else {
        for (Index i = 0; i < size; ++i) dx[i] = activation(m.kind, x[i], true) * dy[i];
    }
    return dx;
}

// The loss, and its gradient in place of the output. Targets of scores add up to 1 in every row.
inline double loss_of(Loss loss, Values& output, const Values& target, Index columns) {
    const double rows = double(Index(output.size()) / columns);
    const Values p = loss == Loss::of_scores ? softmax(output, columns) : output;
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        const double apart = p[i] - target[i];
        sum += loss == Loss::squares ? apart * apart : -target[i] * std::log(p[i]);
        output[i] = (loss == Loss::squares ? 2 * apart : loss == Loss::of_scores ? apart : -target[i] / p[i]) / rows;
    }
    return sum / rows;
}

inline void learn(Network<double>& net, pynet::Clip limits) {
    double squares = 0;
    for (const auto* a : net.arrays()) {
        for (const double g : a->gradient) squares += a->frozen ? 0 : g * g;
    }
    const double factor = std::min(1.0, limits.norm / (std::sqrt(squares) + 1e-6));
    for (auto* a : net.arrays()) {
        if (a->frozen) {
            a->gradient.assign(a->value.size(), sentinel);
            continue;
        }
        for (std::size_t i = 0; i < a->value.size(); ++i) {
            double &g = a->gradient[i], &v = a->velocity[i], &p = a->value[i];
            g = std::max(-limits.value, std::min(limits.value, g * factor));
            const double pull = g + sgd.weight_decay * p;
            v = a->steps == 0 ? pull : sgd.momentum * v + (1 - sgd.dampening) * pull;
            p -= sgd.lr * v;
        }
        ++a->steps;
    }
}
