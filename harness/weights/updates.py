"""Which of a base's matrices an adapter changes, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import families
from harness.checkpoints.adapter import Factors, LoraWeights
from harness.checkpoints.safetensors import Tensor
from harness.errors import AdapterError
from harness.families import Family
from harness.weights.read import Place, place_of

SHARED = ("embedding", "head")  # roles that one tied matrix can have


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Update:
    """One matrix of the base and what the adapter makes of it: factors beside it, or a whole matrix in its place."""

    name: str  # the matrix's; the adapter's word for it where a tied one goes by another
    role: str
    place: Place | None  # in the base; None: a module that only the adapter has
    factors: Factors | None = None  # laid out for the matrix as `place` reads it
    saved: Place | None = None  # in the adapter; a resized embedding has more or fewer rows than the base's

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the changed matrix."""
        held = self.saved or self.place
        assert held is not None
        return held.shape


def updates(
    weights: LoraWeights,
    found: Sequence[Place],  # of the base's matrices
    family: Family,
    *,
    adapter: Path,  # for messages, as is `base`
    base: Path,
) -> tuple[Update, ...]:
    """Return the updates in the order of the base's matrices, then those that the base lacks.

    A module is found by its name; where prefixes differ, by the only name with the same end; and where base and adapter
    use two names of one tied matrix, by its shape. AdapterError where factors have no place, or another shape.
    """
    parts: dict[str, list[Place]] = {}  # of each module; most have one, the whole
    for place in found:
        parts.setdefault(place.module, []).append(place)
    modules = {module: _laid_out(factors, family) for module, factors in weights.modules.items()}
    homes, lost = _homes(modules, parts, family)
    if lost:
        more = f", and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise AdapterError(f"{adapter}: does not fit the base in {base}: {', '.join(lost[:3])}{more}")
    made: list[tuple[str, Update]] = []  # with the base's module
    for module, factors in modules.items():
        home = homes[module]
        made += [(home, one) for one in _low_rank(module, factors, parts[home], family, adapter)]
    for module, tensor in weights.saved.items():
        near = _near(module, parts) or _tied(module, tensor.shape, parts, family)
        home = near[0] if len(near) == 1 else ""
        made.append((home, _whole(module, tensor, parts[home][0] if home else None, family)))
    order = {module: nth for nth, module in enumerate(parts)}
    return tuple(update for _, update in sorted(made, key=lambda pair: order.get(pair[0], len(order))))


def _laid_out(factors: Factors, family: Family) -> Factors:
    """Return factors for the matrix as it is read: [out, in], also where a family stores linear maps as [in, out].

    What the adapter says of that is one setting for all its modules, though peft goes by each module's class.
    """
    turned = family.fan_in_fan_out and not factors.embedding
    return replace(factors, transposed=False) if turned else factors


def _homes(
    modules: Mapping[str, Factors], parts: Mapping[str, list[Place]], family: Family
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
            said = f"could be {' or '.join(near[:2])}" if near else "no such matrix"
            lost.append(f"{module} ({said})")
    return homes, lost


def _low_rank(
    module: str, factors: Factors, parts: Sequence[Place], family: Family, adapter: Path
) -> list[Update]:
    first = parts[0]
    if not first.failed and factors.shape != first.whole:
        raise AdapterError(
            f"{adapter}: the update of {first.module} is {list(factors.shape)}, the base's matrix {list(first.whole)}; "
            "the adapter is for another base"
        )
    return [
        Update(
            name=place.name if _same_end(module, place.module) else module,
            role=place.role if _same_end(module, place.module) else families.role(family, module),
            place=place,
            factors=factors if place.rows is None else factors.of_rows(place.rows),
        )
        for place in parts
    ]


def _whole(module: str, tensor: Tensor, place: Place | None, family: Family) -> Update:
    """Return the update by a matrix that was saved whole; it stands for the whole of a fused one."""
    saved = place_of(replace(tensor, name=f"{module}.weight"), {}, family)
    if place is not None and _same_end(module, place.module):
        saved = replace(saved, name=place.module, module=place.module)
    if place is not None and place.rows is not None:
        place = replace(place, name=saved.name, role=saved.role, shape=place.whole, rows=None)
    return Update(name=saved.name, role=saved.role, place=place, saved=saved)


def _near(module: str, parts: Mapping[str, list[Place]]) -> list[str]:
    return [module] if module in parts else [name for name in parts if _same_end(module, name)]


def _same_end(one: str, other: str) -> bool:
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")


def _tied(module: str, shape: Sequence[int], parts: Mapping[str, list[Place]], family: Family) -> list[str]:
    """Return the base's embedding for a head that its checkpoint does not store, or the other way round."""
    role = families.role(family, module)
    if role not in SHARED:
        return []
    fit = [
        places[0] for places in parts.values() if places[0].role in SHARED and places[0].shape == tuple(shape)
    ]
    return [place.module for place in fit if place.role == role] or [place.module for place in fit]
