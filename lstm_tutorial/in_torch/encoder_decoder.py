"""From one sequence to another: an encoder that reads, a decoder that writes, and attention between them."""

import torch
from torch import nn

from lstm_tutorial.in_torch.lstm import LSTM, Module, Replay, draw, generator
from lstm_tutorial.in_torch.padding import valid_steps
from lstm_tutorial.in_torch.topologies import build_recurrent, draw_linear, run_lstm
from lstm_tutorial.validation import (
    check_choice,
    check_dtype,
    check_kinds,
    check_lengths,
    check_number,
    check_shape,
    check_sizes,
    check_tokens,
    has_values,
    kind_of,
)


class Attention(Module):
    """Weigh the steps of a memory for each query; the weights sum to one over the valid steps.

    Parameters
    ----------
    query_size, memory_size : int
    kind : str
        How a step m of the memory is scored for a query q. "dot": the dot product of the query and a key, where the key
        is W_m m, since q and m differ in size (Luong et al. 2015, who call it "general"); "additive" (Bahdanau et al.
        2015): v tanh(W_q q + W_m m).
    dtype : str or dtype
        float32 or float64.

    Notes
    -----
    Chapter: encoder-decoder.

    Examples
    --------
    >>> valid = torch.tensor([[True, True, True, False]])
    >>> Attention(3, 5, "dot")(torch.zeros(1, 2, 3), torch.zeros(1, 4, 5), valid)[0, 0].tolist()[2:]
    [0.3333333432674408, 0.0]
    """

    def __init__(self, query_size, memory_size, kind="additive", dtype="float32"):
        super().__init__()
        check_sizes(query_size=query_size, memory_size=memory_size)
        check_choice("kind", kind, ("additive", "dot"))
        dtype = getattr(torch, check_dtype(dtype))
        self.kind = kind
        self.of_memory = nn.Linear(memory_size, query_size, bias=False, dtype=dtype)
        if kind == "additive":
            self.of_query = nn.Linear(query_size, query_size, dtype=dtype)
            self.score = nn.Linear(query_size, 1, bias=False, dtype=dtype)

    def forward(self, query, memory, valid):
        """Map query (B, S, Q), memory (B, T, M) and valid (B, T) to weights (B, S, T), exactly 0 where not valid."""
        check_kinds(torch.Tensor, query=query, memory=memory, valid=valid)
        keys = self.of_memory(memory)  # (B, T, Q)
        if self.kind == "dot":
            scores = query @ keys.transpose(1, 2)
        else:
            both = torch.tanh(self.of_query(query)[:, :, None] + keys[:, None])  # (B, S, T, Q)
            scores = self.score(both)[..., 0]
        return torch.softmax(scores.masked_fill(~valid[:, None], -torch.inf), dim=-1)


class EncoderDecoder(Module):
    """Read tokens with a bidirectional encoder, write tokens with a decoder that may look back at what was read.

    Parameters
    ----------
    source_size, target_size : int
        Number of different tokens on each side.
    hidden_size : int
        H of the decoder and of each direction of the encoder.
    stop : int
        The target token that ends a sequence.
    attention : str or None
        "additive", "dot", or None: then all that the decoder knows is the encoder's final state.
    embedding : int
        Size of the vector that stands for each token.
    dropout : float
        Share of the embedded tokens' numbers that is zeroed in training.
    lstm : class, optional
        What to build both on: the course's `LSTM`, which is the default, or `torch.nn.LSTM`, which is faster.
    rng : torch.Generator, int or None
        Draws the parameters.
    dtype : str or dtype
        float32 or float64.

    Notes
    -----
    Sutskever, Vinyals and Le (2014), with the attention of Bahdanau et al. (2015). Chapter: encoder-decoder.

    Examples
    --------
    >>> model = EncoderDecoder(27, 40, 16, stop=0, rng=0)
    >>> scores = model([[3, 1, 4], [1, 5, 0]], [3, 2], targets=[[7, 8, 0], [9, 0, 0]])
    >>> scores.shape
    torch.Size([2, 3, 40])
    """

    def __init__(
        self,
        source_size,
        target_size,
        hidden_size,
        *,
        stop,
        attention="additive",
        embedding=32,
        dropout=0.0,
        lstm=None,
        rng=None,
        dtype="float32",
    ):
        super().__init__()
        check_sizes(source_size=source_size, target_size=target_size, hidden_size=hidden_size, embedding=embedding)
        check_choice("attention", attention, ("additive", "dot", None))
        check_choice("stop", stop, range(target_size))
        check_number("dropout", dropout, 0, 1)
        lstm = LSTM if lstm is None else lstm
        if not (isinstance(lstm, type) and issubclass(lstm, LSTM | nn.LSTM)):
            came = kind_of(lstm if isinstance(lstm, type) else type(lstm))
            raise TypeError(f"lstm must be the class in_torch.LSTM or torch.nn.LSTM, got {came}")
        self.source_size = source_size
        self.target_size = target_size
        self.hidden_size = hidden_size
        self.stop = stop
        self._replay = Replay()
        rng = generator(rng)
        H = hidden_size
        self.encoder = build_recurrent(lstm, embedding, H, rng, dtype, bidirectional=True)
        self.decoder = build_recurrent(lstm, embedding, H, rng, dtype)
        dtype = self.decoder.weight_ih_l0.dtype
        self.source_embedding = nn.Embedding(source_size, embedding, dtype=dtype)
        self.target_embedding = nn.Embedding(target_size + 1, embedding, dtype=dtype)  # the last one says: start
        self.to_state = nn.Linear(4 * H, 2 * H, dtype=dtype)
        self.attention = None
        self.combine = None
        if attention is not None:
            self.attention = Attention(H, 2 * H, attention, dtype)
            self.combine = nn.Linear(3 * H, H, dtype=dtype)
        self.head = nn.Linear(H, target_size, dtype=dtype)
        self.drop = nn.Dropout(dropout)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                draw_linear(module, rng)
            elif isinstance(module, nn.Embedding):
                draw(module.weight, rng)

    @property
    def device(self):
        """Where the network is, and where its tokens and lengths go."""
        return self.decoder.weight_ih_l0.device

    def encode(self, source, lengths):
        """Read tokens (B, T); return the memory (B, T, 2H), which steps are valid (B, T), and the decoder's state."""
        source = torch.as_tensor(check_tokens(source, self.source_size, lengths), device=self.device)
        lengths = check_lengths(lengths, *source.shape)
        memory, (h_n, c_n) = run_lstm(self.encoder, self.drop(self.source_embedding(source)), lengths)
        final = torch.cat([*h_n, *c_n], dim=-1)  # (B, 4H): both directions
        h_0, c_0 = torch.tanh(self.to_state(final)).chunk(2, dim=-1)
        valid = valid_steps(lengths, source.shape[1], self.device)
        return memory, valid, (h_0[None].contiguous(), c_0[None].contiguous())

    def decode(self, fed, state, memory, valid):
        """Read what was written, tokens (B, S); return scores (B, S, K), the new state, weights (B, S, T) or None."""
        vectors = self.drop(self.target_embedding(fed))
        output, state = run_lstm(self.decoder, vectors, state=state)
        if self.attention is None:
            return self.head(output), state, None
        weights = self.attention(output, memory, valid)
        seen = torch.tanh(self.combine(torch.cat([output, weights @ memory], dim=-1)))
        return self.head(seen), state, weights

    def forward(self, source, lengths, targets, *, teacher_forcing=None, rng=None):
        """Score the tokens of a target sequence.

        Parameters
        ----------
        source : tokens (B, T), and lengths (B,)
        targets : tokens (B, S)
            Padded with the stop token or anything valid; the loss has to ignore the padding.
        teacher_forcing : float, optional
            Share of the steps, drawn for each sequence, at which the target is fed back rather than the network's own
            likeliest token. Default: 1 in training and 0 in evaluation, where it would let the network look.
        rng : torch.Generator, int or None
            Draws those steps.

        Returns
        -------
        tensor (B, S, K)

        Raises
        ------
        ValueError, TypeError
            If a token or a length does not fit, or `teacher_forcing` is no share.
        """
        ratio = float(self.training) if teacher_forcing is None else teacher_forcing
        check_number("teacher_forcing", ratio, 0, 1)
        memory, valid, state = self.encode(source, lengths)
        targets = torch.as_tensor(check_tokens(targets, self.target_size), device=self.device)
        check_shape("targets", targets, (len(memory), "S"))
        fed = self._start(len(targets))
        if ratio == 1:
            return self.decode(torch.cat([fed, targets[:, :-1]], dim=1), state, memory, valid)[0]
        rng = self._replay(rng) if isinstance(rng, torch.Generator) else generator(rng)
        outputs = []
        for t in range(targets.shape[1]):
            scores, state, _ = self.decode(fed, state, memory, valid)
            outputs.append(scores)
            forced = (torch.rand(len(targets), 1, generator=rng) < ratio).to(self.device)
            fed = torch.where(forced, targets[:, t : t + 1], scores.argmax(dim=-1))
        return torch.cat(outputs, dim=1)

    @torch.no_grad()
    def generate(self, source, lengths, steps, *, beam=1):
        """Write the likeliest sequences that a beam search finds; a beam of 1 is greedy.

        Parameters
        ----------
        source : tokens (B, T), and lengths (B,)
        steps : int
            The longest a sequence may become.
        beam : int
            How many unfinished sequences to keep at every step.

        Returns
        -------
        tokens : tensor (B, S)
            The stop token from where a sequence has ended.
        lengths : tensor (B,)
            Tokens of each before the stop.
        log_p : tensor (B,)
            Log-probability of each, not divided by its length.
        weights : tensor (B, S, T) or None
            What attention looked at for each token.
        """
        check_sizes(steps=steps, beam=beam)
        memory, valid, (h, c) = self.encode(source, lengths)
        B = len(memory)
        K = self.target_size
        device = memory.device
        memory, valid = (each.repeat_interleave(beam, dim=0) for each in (memory, valid))  # (B * beam, ...)
        h, c = (each.repeat_interleave(beam, dim=1) for each in (h, c))
        fed = self._start(B * beam)
        tokens = torch.empty(B * beam, 0, dtype=torch.long, device=device)
        looked = memory.new_zeros(B * beam, 0, memory.shape[1])
        done = torch.zeros(B * beam, 1, dtype=bool, device=device)
        log_p = memory.new_full((B, beam), -torch.inf)
        log_p[:, 0] = 0  # all beams start alike: only the first may be continued
        ended = memory.new_full((K,), -torch.inf)
        ended[self.stop] = 0  # a finished sequence goes on with stops, at no cost
        for _ in range(steps):
            scores, (h, c), weights = self.decode(fed, (h, c), memory, valid)
            step = torch.where(done, ended, torch.log_softmax(scores[:, 0], dim=-1))  # (B * beam, K)
            log_p, best = (log_p[..., None] + step.view(B, beam, K)).view(B, -1).topk(beam, dim=-1)
            came = (best // K + beam * torch.arange(B, device=device)[:, None]).view(-1)  # which beam it continues
            fed = (best % K).view(-1, 1)
            tokens = torch.cat([tokens[came], fed], dim=1)
            h, c = h[:, came], c[:, came]
            if weights is not None:
                looked = torch.cat([looked[came], weights[came]], dim=1)
            done = done[came] | (fed == self.stop)
            if has_values(done) and done.all():
                break
        first = beam * torch.arange(B, device=device)  # topk sorts: the best comes first
        stopped = (tokens[first] == self.stop).cumsum(dim=1) > 0
        looked = None if self.attention is None else looked[first]
        return tokens[first].masked_fill(stopped, self.stop), (~stopped).sum(dim=1), log_p[:, 0], looked

    def _start(self, B):
        return torch.full((B, 1), self.target_size, device=self.device)
