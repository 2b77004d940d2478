"""A contract for import-linter: which packages of others the rooms of ours may import."""

import sys

from importlinter import Contract, ContractCheck, fields, output


class PackagesContract(Contract):
    """
    Modules import the standard library, ours, and the packages that are named; nothing else.

    What is forbidden needs no list, so that a package that nobody has thought of
    is refused too.
    """

    type_name = "packages"

    modules = fields.ListField(subfield=fields.StringField())
    packages = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph, verbose):
        """Return every import of a package that is not named."""
        ours = set(self.session_options["root_packages"])
        allowed = {*sys.stdlib_module_names, *ours, *(self.packages or ())}
        rooms: list[str] = self.modules
        modules = {module for room in rooms for module in {room, *graph.find_descendants(room)}}
        wrong = [
            (module, other, details[0]["line_number"])
            for module in sorted(modules)
            for other in sorted(graph.find_modules_directly_imported_by(module))
            if other.partition(".")[0] not in allowed
            if (details := graph.get_import_details(importer=module, imported=other))
        ]
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check):
        """Name each of them with its line."""
        for module, other, line in check.metadata["wrong"]:
            output.print_error(f"{module} -> {other} (l.{line})")
