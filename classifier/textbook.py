"""What textbooks say a cell looks like in a Romanowsky stain, and how that compares with traits.

Sources: B. J. Bain, Blood Cells: A Practical Guide, 6th ed., Wiley 2022, chapters 3 and 9;
L. Palmer and others, ICSH recommendations for the standardization of nomenclature and grading of
peripheral blood cell morphological features, Int J Lab Hematol 2015;37:287-303. The traits and
their values are those of WBCAtt: S. Tsutsui and others, NeurIPS 2023 Datasets and Benchmarks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from classifier.enums import CellType

SOURCES = (
    "Bain, Blood Cells, 6th ed. (2022)",
    "ICSH nomenclature, Palmer et al., Int J Lab Hematol 2015;37:287",
)


@dataclass(frozen=True, slots=True)
class Description:
    """A cell type in words, part by part; ``expected`` are the values of traits that fit it.

    A trait is left out where the cell type varies in it, or where the trait can't be seen.
    """

    size: str
    nucleus: str
    chromatin: str
    granules: str
    cytoplasm: str
    expected: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Name and words of each part, for a reader."""
        return (
            ("Size", self.size),
            ("Nucleus", self.nucleus),
            ("Chromatin", self.chromatin),
            ("Granules", self.granules),
            ("Cytoplasm", self.cytoplasm),
        )


def _any(*values: str) -> frozenset[str]:
    return frozenset(values)


_GRANULAR = {"granularity": _any("yes")}
_PLAIN = {"granularity": _any("no"), "granule_type": _any("nil")}
_BLUE = _any("blue", "purple blue")

TEXTBOOK: Mapping[str, Description] = {
    CellType.NEUTROPHIL: Description(
        size="12 to 15 µm, round.",
        nucleus="Two to five lobes joined by thin strands; the band form is a curved rod.",
        chromatin="Coarse and dense.",
        granules="Many, fine, lilac-pink.",
        cytoplasm="Abundant, pale pink.",
        expected={
            "nucleus_shape": _any("segmented-multilobed", "segmented-bilobed", "unsegmented-band"),
            "nuclear_cytoplasmic_ratio": _any("low"),
            "chromatin_density": _any("densely"),
            "cytoplasm_vacuole": _any("no"),
            "cytoplasm_colour": _any("light blue"),
            "granule_type": _any("small"),
            "granule_colour": _any("pink"),
            **_GRANULAR,
        },
    ),
    CellType.LYMPHOCYTE: Description(
        size="Small form 10 to 12 µm; large form up to 16 µm.",
        nucleus="Round or slightly indented; fills the small form.",
        chromatin="Dense, in clumps; nucleoli not seen.",
        granules="None, or few azurophilic ones in large granular forms.",
        cytoplasm="Scanty, pale to moderately blue; more of it in the large form.",
        expected={
            "cell_size": _any("small"),
            "nucleus_shape": _any("unsegmented-round", "unsegmented-indented"),
            "nuclear_cytoplasmic_ratio": _any("high"),
            "chromatin_density": _any("densely"),
            "cytoplasm_vacuole": _any("no"),
            **_PLAIN,
        },
    ),
    CellType.MONOCYTE: Description(
        size="15 to 20 µm, the largest cell of normal blood; outline often irregular.",
        nucleus="Kidney- or horseshoe-shaped, folded or lobulated.",
        chromatin="Loose, lacy.",
        granules="None seen, or a fine reddish dust.",
        cytoplasm="Abundant, grey-blue, like ground glass; often vacuolated.",
        expected={
            "cell_size": _any("big"),
            "nucleus_shape": _any("unsegmented-indented", "irregular"),
            "nuclear_cytoplasmic_ratio": _any("low"),
            "chromatin_density": _any("loosely"),
            "cytoplasm_texture": _any("frosted"),
            "cytoplasm_colour": _BLUE,
            "granule_type": _any("nil", "small"),
        },
    ),
    CellType.EOSINOPHIL: Description(
        size="12 to 17 µm, round.",
        nucleus="Usually two lobes, sometimes three.",
        chromatin="Coarse and dense.",
        granules="Large, round, of one size, orange-red; they fill the cell.",
        cytoplasm="Pale blue where granules leave it free; vacuoles where some were lost.",
        expected={
            "nucleus_shape": _any("segmented-bilobed", "segmented-multilobed"),
            "nuclear_cytoplasmic_ratio": _any("low"),
            "chromatin_density": _any("densely"),
            "granule_type": _any("round"),
            "granule_colour": _any("red"),
            **_GRANULAR,
        },
    ),
    CellType.BASOPHIL: Description(
        size="10 to 14 µm, round.",
        nucleus="Lobed or irregular, mostly hidden by granules.",
        chromatin="Dense, as far as granules let it be seen.",
        granules="Coarse, uneven in size, purple-black; they lie over the nucleus too.",
        cytoplasm="Pale; clear gaps where granules were washed out.",
        expected={
            "nucleus_shape": _any("irregular", "segmented-bilobed", "segmented-multilobed"),
            "nuclear_cytoplasmic_ratio": _any("low"),
            "granule_type": _any("coarse"),
            "granule_colour": _any("purple"),
            **_GRANULAR,
        },
    ),
    CellType.IMMATURE_GRANULOCYTE: Description(
        size="Promyelocyte 15 to 25 µm; myelocyte and metamyelocyte 12 to 20 µm.",
        nucleus="Round or oval, off the centre; indented in the metamyelocyte, not lobed.",
        chromatin="Fine in the promyelocyte, coarser with age; nucleolus in the promyelocyte.",
        granules="Purple primary ones in the promyelocyte; fine lilac ones later.",
        cytoplasm="Blue, turning pink from the nucleus' hollow outwards.",
        expected={
            "cell_size": _any("big"),
            "nucleus_shape": _any("unsegmented-round", "unsegmented-indented"),
            **_GRANULAR,
        },
    ),
    CellType.BLAST: Description(
        size="10 to 20 µm, lymphoblasts at the small end.",
        nucleus="Round, oval, indented or folded; fills most of the cell.",
        chromatin="Fine and open, with one or more nucleoli.",
        granules="None or few; an Auer rod proves a myeloid blast.",
        cytoplasm="Scanty, blue.",
        expected={
            "nucleus_shape": _any("unsegmented-round", "unsegmented-indented", "irregular"),
            "nuclear_cytoplasmic_ratio": _any("high"),
            "chromatin_density": _any("loosely"),
            "cytoplasm_colour": _BLUE,
        },
    ),
    CellType.ATYPICAL_LYMPHOCYTE: Description(
        size="15 to 30 µm; the outline often moulds itself round red cells.",
        nucleus="Round, oval or irregular.",
        chromatin="From open to partly clumped; nucleoli may show.",
        granules="None or few.",
        cytoplasm="Abundant, blue, deepest at the rim; sometimes vacuolated.",
        expected={
            "cell_size": _any("big"),
            "cell_shape": _any("irregular"),
            "nucleus_shape": _any("unsegmented-round", "unsegmented-indented", "irregular"),
            "cytoplasm_colour": _BLUE,
        },
    ),
    CellType.PLASMA_CELL: Description(
        size="8 to 20 µm, oval.",
        nucleus="Round, far off the centre.",
        chromatin="Dense, in blocks like a clock face.",
        granules="None.",
        cytoplasm="Abundant, deep blue, with a pale zone beside the nucleus.",
        expected={
            "nucleus_shape": _any("unsegmented-round"),
            "nuclear_cytoplasmic_ratio": _any("low"),
            "chromatin_density": _any("densely"),
            "cytoplasm_colour": _BLUE,
            **_PLAIN,
        },
    ),
    CellType.ERYTHROBLAST: Description(
        size="8 to 15 µm, the late forms smallest.",
        nucleus="Round; smaller and darker with age.",
        chromatin="Very dense in late forms, without a nucleolus.",
        granules="None.",
        cytoplasm="Blue, then grey, then pink as haemoglobin fills it.",
        expected={
            "cell_size": _any("small"),
            "nucleus_shape": _any("unsegmented-round"),
            "chromatin_density": _any("densely"),
            **_PLAIN,
        },
    ),
    CellType.PLATELET: Description(
        size="1.5 to 3 µm; as large as a red cell or larger in giant forms.",
        nucleus="None.",
        chromatin="None.",
        granules="Fine, purple, often gathered in the middle.",
        cytoplasm="Pale blue.",
    ),
    CellType.ERYTHROCYTE: Description(
        size="About 7.5 µm, round.",
        nucleus="None.",
        chromatin="None.",
        granules="None.",
        cytoplasm="Pink, paler in the middle third.",
    ),
    CellType.SMUDGE_CELL: Description(
        size="Spread out, without an outline.",
        nucleus="A smear of bare nucleus.",
        chromatin="Torn into strands.",
        granules="None.",
        cytoplasm="None that belongs to it.",
    ),
    CellType.ARTEFACT: Description(
        size="Any.",
        nucleus="None; a stain deposit or dust may look like one.",
        chromatin="None.",
        granules="Deposits lie over the cells and shine when the focus changes.",
        cytoplasm="None.",
    ),
    CellType.UNIDENTIFIED: Description(
        size="Not told.",
        nucleus="Not told.",
        chromatin="Not told.",
        granules="Not told.",
        cytoplasm="Not told.",
    ),
}
"""One entry for each cell type."""


def compare(cell_type: str, trait: str, value: str) -> bool | None:
    """Tell whether a trait's value fits a cell type; None where the textbook doesn't decide."""
    fitting = TEXTBOOK[cell_type].expected.get(trait)
    return None if fitting is None else value in fitting
