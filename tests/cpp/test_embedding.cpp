// Embedding: rows by hand, indices that repeat, padding, and sums against naive ones.
#include "kernels_to_test.hpp"

namespace {

template <class T>
std::vector<T> backward(const pynet::Embedding<T>& k, const std::vector<Index>& indices, const std::vector<T>& dy,
                        std::vector<T> dw, Index embeddings, Index padding, T beta) {
    std::vector<Index> starts(embeddings + 1, -1), order(indices.size(), -1);
    k.sort(indices.data(), starts.data(), order.data(), Index(indices.size()), embeddings);
    k.backward({starts.data(), order.data()}, dy.data(), dw.data(), embeddings, Index(dw.size()) / embeddings, padding,
               beta);
    return dw;
}

}  // namespace

TEST_CASE("embedding by hand") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).embedding;
        const std::vector<T> w{1, 2, 3, 4, 5, 6}, dy{1, 10, 2, 20, 4, 40};
        const std::vector<Index> indices{2, 0, 2};
        auto y = unset<T>(6);
        k.forward(indices.data(), w.data(), y.data(), 3, 2);
        CHECK_EQUAL(y, (std::vector<T>{5, 6, 1, 2, 5, 6}));
        CHECK_EQUAL(backward(k, indices, dy, unset<T>(6), 3, -1, T(0)), (std::vector<T>{2, 20, 0, 0, 5, 50}));
        CHECK_EQUAL(backward(k, indices, dy, unset<T>(6), 3, 2, T(0)), (std::vector<T>{2, 20, 0, 0, 0, 0}));
        CHECK_EQUAL(backward(k, indices, dy, w, 3, 0, T(1)), (std::vector<T>{1, 2, 3, 4, 10, 56}));
        CHECK_EQUAL(backward<T>(k, {}, {}, unset<T>(6), 3, -1, T(0)), (std::vector<T>(6, 0)));
    });
}

TEST_CASE("embedding's places are sorted, and stay in their order") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const std::vector<Index> indices{3, 1, 3, 0, 1, 3};
        std::vector<Index> starts(6, -1), order(6, -1);
        pynet::kernels<T>(isa).embedding.sort(indices.data(), starts.data(), order.data(), 6, 5);
        CHECK_EQUAL(starts, (std::vector<Index>{0, 1, 3, 3, 6, 6}));
        CHECK_EQUAL(order, (std::vector<Index>{3, 1, 4, 0, 2, 5}));
    });
}

TEST_CASE("embedding of any size") {
    each_isa([](auto isa, auto zero) {
        using T = decltype(zero);
        const auto& k = pynet::kernels<T>(isa).embedding;
        for (const Index dim : {1, 3, 16, 65, 200}) {
            for (const Index embeddings : {1, 7, 300}) {
                const Index count = 2000;
                std::vector<Index> indices;
                for (Index n = 0; n < count; ++n) indices.push_back(n * n % embeddings);
                const auto w = numbers<T>(embeddings * dim, 1), dy = numbers<T>(count * dim, 2);
                std::vector<T> expected;
                std::vector<Exact> sums(embeddings * dim);
                for (Index n = 0; n < count; ++n) {
                    for (Index c = 0; c < dim; ++c) {
                        expected.push_back(w[indices[n] * dim + c]);
                        sums[indices[n] * dim + c] += dy[n * dim + c];
                    }
                }
                CHECK_EQUAL(on_any_threads([&] {
                                auto y = unset<T>(count * dim);
                                k.forward(indices.data(), w.data(), y.data(), count, dim);
                                return y;
                            }),
                            expected);
                const auto dw = on_any_threads(
                    [&] { return backward(k, indices, dy, unset<T>(embeddings * dim), embeddings, -1, T(0)); });
                CHECK_CLOSE(dw, sums, 0);  // exact: multiples of 1/32
            }
        }
    });
}
