# SPDX-License-Identifier: Apache-2.0
"""Writes torch_traces.txt and torch_schedules.txt: what PyTorch's optimizers and schedules do, in double precision.

Needs torch (Debian's python3-torch or PyPI's). Run in this folder: python3 make_traces.py
"""
import torch

import trace_file

ZEROS = [0.0] * 4


def sgd(p, case):
    options = case.get("options", {})
    momentum = options.get("optim.momentum", 0.9) if case["optimizer"] != "sgd" else 0
    return torch.optim.SGD(p, lr=case["rate"], momentum=momentum, nesterov=case["optimizer"] == "nesterov",
                           weight_decay=case.get("l2", 0))


def betas(options):
    return options.get("optim.beta1", 0.9), options.get("optim.beta2", 0.999)


def adam(p, case):
    o = case.get("options", {})
    decoupled = case["optimizer"] == "adamw"
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    return kind(p, lr=case["rate"], betas=betas(o), eps=o.get("optim.epsilon", 1e-8),
                amsgrad=o.get("optim.amsgrad") == "true",
                weight_decay=case.get("decay", 0) if decoupled else case.get("l2", 0))


def nadam(p, case):
    o = case.get("options", {})
    return torch.optim.NAdam(p, lr=case["rate"], betas=betas(o), eps=o.get("optim.epsilon", 1e-8),
                             momentum_decay=o.get("optim.momentum_decay", 0.004), weight_decay=case.get("l2", 0))


def adagrad(p, case):
    o = case.get("options", {})
    return torch.optim.Adagrad(p, lr=case["rate"], eps=o.get("optim.epsilon", 1e-10),
                               lr_decay=o.get("optim.lr_decay", 0), weight_decay=case.get("l2", 0),
                               initial_accumulator_value=o.get("optim.initial_accumulator", 0))


def rmsprop(p, case):
    o = case.get("options", {})
    return torch.optim.RMSprop(p, lr=case["rate"], alpha=o.get("optim.alpha", 0.99),
                               eps=o.get("optim.epsilon", 1e-8), centered=o.get("optim.centered") == "true",
                               weight_decay=case.get("l2", 0))


def adadelta(p, case):
    o = case.get("options", {})
    return torch.optim.Adadelta(p, lr=case["rate"], rho=o.get("optim.rho", 0.9), eps=o.get("optim.epsilon", 1e-6),
                                weight_decay=case.get("l2", 0))


MAKERS = {"sgd": sgd, "momentum": sgd, "nesterov": sgd, "adam": adam, "adamw": adam, "nadam": nadam,
          "adagrad": adagrad, "rmsprop": rmsprop, "adadelta": adadelta}
RATES = {"sgd": 0.1, "momentum": 0.05, "nesterov": 0.05, "adagrad": 0.2, "rmsprop": 0.02, "adadelta": 1.0,
         "adam": 0.05, "adamw": 0.05, "nadam": 0.05}


def cases():
    for name, rate in RATES.items():
        base = {"optimizer": name, "rate": rate}
        yield {**base, "name": "plain"}
        yield {**base, "name": "decay_and_drop", "drop": True, **({"decay": 0.1} if name == "adamw" else {"l2": 0.1})}
        yield {**base, "name": "sparse", "gradients": "sparse"}
        if name in ("sgd", "momentum", "nesterov"):
            continue
        yield {**base, "name": "wide", "gradients": "wide", "start": ZEROS}
        # Only where epsilon stands decides these: with g = 1e-12 and epsilon = 1 or 1e-12 the variants differ.
        for epsilon in (1, 1e-12):
            yield {**base, "name": f"tiny_epsilon_{epsilon}", "gradients": "tiny", "start": ZEROS,
                   "options": {"optim.epsilon": epsilon}}
    yield {"optimizer": "momentum", "name": "half", "rate": 0.05, "options": {"optim.momentum": 0.5}}
    yield {"optimizer": "nesterov", "name": "half", "rate": 0.05, "options": {"optim.momentum": 0.5}}
    yield {"optimizer": "adamw", "name": "zero_gradient", "rate": 0.05, "decay": 0.1, "gradients": "zero"}
    yield {"optimizer": "adam", "name": "zero_gradient_l2", "rate": 0.05, "l2": 0.1, "gradients": "zero"}
    for name in ("adam", "adamw"):
        yield {"optimizer": name, "name": "amsgrad", "rate": 0.05, "gradients": "sparse",
               "options": {"optim.amsgrad": "true", "optim.beta2": 0.5}}
    yield {"optimizer": "adam", "name": "betas", "rate": 0.05, "options": {"optim.beta1": 0.5, "optim.beta2": 0.9}}
    yield {"optimizer": "nadam", "name": "slow_momentum", "rate": 0.05,
           "options": {"optim.momentum_decay": 0.5, "optim.beta1": 0.8}}
    yield {"optimizer": "adagrad", "name": "accumulator", "rate": 0.2,
           "options": {"optim.initial_accumulator": 0.5, "optim.lr_decay": 0.1}}
    for gradients in ("plain", "sparse"):
        yield {"optimizer": "rmsprop", "name": f"centered_{gradients}", "rate": 0.02, "gradients": gradients, "l2": 0.1,
               "options": {"optim.centered": "true", "optim.alpha": 0.9}}
    yield {"optimizer": "adadelta", "name": "rho", "rate": 0.5, "options": {"optim.rho": 0.5}}


def trace(case):
    weights = torch.tensor(case.get("start", trace_file.START), dtype=torch.float64, requires_grad=True)
    optimizer = MAKERS[case["optimizer"]]([weights], case)
    gradients = trace_file.gradient_sets()[case.get("gradients", "plain")]
    for rate, gradient in zip(trace_file.rates(case), gradients):
        optimizer.param_groups[0]["lr"] = rate
        weights.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        yield weights.tolist()


# The run of all schedules: 60 steps, 12 to an epoch.
def schedule_cases():
    s = torch.optim.lr_scheduler
    yield "step", {"optim.drop_every": "7 steps", "optim.drop_factor": "0.3"}, lambda o: s.StepLR(o, 7, 0.3)
    yield "multi_step", {"optim.milestones": "1 epochs,20 steps,20 steps,50 steps", "optim.drop_factor": "0.5"}, \
        lambda o: s.MultiStepLR(o, [12, 20, 20, 50], 0.5)
    yield "exponential", {"optim.decay_every": "1 steps", "optim.decay_factor": "0.9"}, \
        lambda o: s.ExponentialLR(o, 0.9)
    yield "polynomial", {"optim.decay_over": "40 steps", "optim.power": "1.5"}, \
        lambda o: s.PolynomialLR(o, 40, 1.5)
    yield "polynomial", {}, lambda o: s.PolynomialLR(o, 60, 1)
    yield "cosine", {"optim.end_factor": "0.1"}, lambda o: s.CosineAnnealingLR(o, 60, eta_min=0.1)
    yield "cosine_restarts", {"optim.restart_period": "7 steps", "optim.restart_growth": "2",
                              "optim.end_factor": "0.05"}, \
        lambda o: s.CosineAnnealingWarmRestarts(o, 7, 2, eta_min=0.05)
    yield "cosine_restarts", {"optim.restart_period": "1 epochs"}, lambda o: s.CosineAnnealingWarmRestarts(o, 12)
    yield "one_cycle", {}, lambda o: s.OneCycleLR(o, 1, total_steps=60)
    yield "one_cycle", {"optim.decay_over": "60 steps", "optim.cycle_rise": "0.45", "optim.cycle_start": "0.1",
                        "optim.cycle_end": "0.001"}, \
        lambda o: s.OneCycleLR(o, 1, total_steps=60, pct_start=0.45, div_factor=10, final_div_factor=100)
    yield "constant", {"optim.warmup": "20 steps", "optim.warmup_start": "0.25"}, lambda o: s.LinearLR(o, 0.25, 1, 20)
    for patience, cooldown in ((2, 0), (0, 3)):
        yield "plateau", {"optim.plateau_patience": f"{patience}", "optim.plateau_cooldown": f"{cooldown}",
                          "optim.drop_factor": "0.5", "optim.end_factor": "0.01", "optim.plateau_threshold": "0.01"}, \
            lambda o, p=patience, c=cooldown: s.ReduceLROnPlateau(o, factor=0.5, patience=p, cooldown=c,
                                                                  threshold=0.01, min_lr=0.01)


def plateau_metric(step):
    """Falls, stands, falls by less than the threshold, rises; the test has the same function."""
    return max(1.0 / (1 + step), 0.2) - 0.0001 * step + (0.5 if step % 11 == 10 else 0)


def schedule_trace(make):
    optimizer = torch.optim.SGD([torch.zeros(1, dtype=torch.float64, requires_grad=True)], lr=1)
    schedule = make(optimizer)
    for step in range(60):
        yield optimizer.param_groups[0]["lr"]
        if step == 59:
            return
        optimizer.step()
        if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
            schedule.step(plateau_metric(step))
        else:
            schedule.step()


def main():
    with open("torch_traces.txt", "w") as file:
        trace_file.write_gradients(file)
        for case in cases():
            trace_file.write_case(file, case, trace(case))
    with open("torch_schedules.txt", "w") as file:
        for name, options, make in schedule_cases():
            file.write(f"schedule {name}\n")
            for key, value in options.items():
                file.write(f"option {key} {value}\n")
            file.write("factors " + " ".join("%.12g" % factor for factor in schedule_trace(make)) + "\n")


main()
