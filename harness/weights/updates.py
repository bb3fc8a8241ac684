"""Which of a base's matrices an adapter changes, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import families
from harness.checkpoints.adapter import Factors, LoraWeights
from harness.checkpoints.safetensors import Tensor
from harness.errors import AdapterError
from harness.families import Family
from harness.weights.read import TensorLocation, location_of

SHARED = ("embedding", "head")  # roles that one tied matrix can have


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Update:
    """One matrix of the base and what the adapter makes of it: factors beside it, or a whole matrix in its place."""

    name: str  # the matrix's; of a tied matrix, the name that the adapter uses
    role: str
    location: TensorLocation | None  # in the base; None: a module that only the adapter has
    factors: Factors | None = None  # laid out for the matrix as `location` reads it
    saved: TensorLocation | None = (
        None  # in the adapter; a resized embedding has more or fewer rows than the base's
    )

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the changed matrix."""
        changed = self.saved or self.location
        assert changed is not None
        return changed.shape


def updates(
    weights: LoraWeights,
    found: Sequence[TensorLocation],  # of the base's matrices
    family: Family,
    *,
    adapter: Path,  # for messages, as is `base`
    base: Path,
) -> tuple[Update, ...]:
    """Return the updates in the order of the base's matrices, then those that the base lacks.

    A module is found by its name; where prefixes differ, by the only name with the same end; and where base and adapter
    use two names of one tied matrix, by its shape. Raises AdapterError where factors fit no matrix, or have
    another shape.
    """
    parts: dict[str, list[TensorLocation]] = {}  # of each module; most have one, the whole
    for location in found:
        parts.setdefault(location.module, []).append(location)
    modules = {module: _laid_out(factors, family) for module, factors in weights.modules.items()}
    homes, lost = _homes(modules, parts, family)
    if lost:
        more = f", and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise AdapterError(f"{adapter}: does not fit the base in {base}: {', '.join(lost[:3])}{more}")
    made: list[tuple[str, Update]] = []  # with the base's module
    for module, factors in modules.items():
        home = homes[module]
        made += [(home, update) for update in _low_rank(module, factors, parts[home], family, adapter)]
    for module, tensor in weights.saved.items():
        near = _near(module, parts) or _tied(module, tensor.shape, parts, family)
        home = near[0] if len(near) == 1 else ""
        made.append((home, _whole(module, tensor, parts[home][0] if home else None, family)))
    order = {module: nth for nth, module in enumerate(parts)}
    return tuple(update for _, update in sorted(made, key=lambda pair: order.get(pair[0], len(order))))


def _laid_out(factors: Factors, family: Family) -> Factors:
    """Return factors for the matrix as it is read: [out, in], also where a family stores linear maps as [in, out].

    The adapter has one setting for all its modules, `fan_in_fan_out`, though peft goes by each module's class.
    """
    transposed_on_reading = family.fan_in_fan_out and not factors.embedding
    return replace(factors, transposed=False) if transposed_on_reading else factors


def _homes(
    modules: Mapping[str, Factors], parts: Mapping[str, list[TensorLocation]], family: Family
) -> tuple[dict[str, str], list[str]]:
    """Return the base's module for each of the adapter's, and a message for each without one."""
    homes: dict[str, str] = {}
    lost = []
    for module, factors in modules.items():
        near = _near(module, parts)
        taken = near != [module] and not {*modules, *homes.values()}.isdisjoint(near)
        near = near or _tied(module, factors.shape, parts, family)  # both of a tied pair may have factors
        if len(near) == 1 and not taken:
            homes[module] = near[0]
        else:
            reason = f"could be {' or '.join(near[:2])}" if near else "no such matrix"
            lost.append(f"{module} ({reason})")
    return homes, lost


def _low_rank(
    module: str, factors: Factors, parts: Sequence[TensorLocation], family: Family, adapter: Path
) -> list[Update]:
    first = parts[0]
    if not first.failed and factors.shape != first.whole:
        raise AdapterError(
            f"{adapter}: the update of {first.module} is {list(factors.shape)}, the base's matrix {list(first.whole)}; "
            "the adapter is for another base"
        )
    return [
        Update(
            name=location.name if _same_end(module, location.module) else module,
            role=location.role if _same_end(module, location.module) else families.role(family, module),
            location=location,
            factors=factors if location.rows is None else factors.of_rows(location.rows),
        )
        for location in parts
    ]


def _whole(module: str, tensor: Tensor, location: TensorLocation | None, family: Family) -> Update:
    """Return the update by a matrix that was saved whole; it replaces all parts of a fused matrix."""
    saved = location_of(replace(tensor, name=f"{module}.weight"), {}, family)
    if location is not None and _same_end(module, location.module):
        saved = replace(saved, name=location.module, module=location.module)
    if location is not None and location.rows is not None:
        location = replace(location, name=saved.name, role=saved.role, shape=location.whole, rows=None)
    return Update(name=saved.name, role=saved.role, location=location, saved=saved)


def _near(module: str, parts: Mapping[str, list[TensorLocation]]) -> list[str]:
    return [module] if module in parts else [name for name in parts if _same_end(module, name)]


def _same_end(first: str, second: str) -> bool:
    return f".{first}".endswith(f".{second}") or f".{second}".endswith(f".{first}")


def _tied(
    module: str, shape: Sequence[int], parts: Mapping[str, list[TensorLocation]], family: Family
) -> list[str]:
    """Return the base's embedding for a head that its checkpoint does not store, or the other way round."""
    role = families.role(family, module)
    if role not in SHARED:
        return []
    fit = [
        locations[0]
        for locations in parts.values()
        if locations[0].role in SHARED and locations[0].shape == tuple(shape)
    ]
    return [location.module for location in fit if location.role == role] or [
        location.module for location in fit
    ]
