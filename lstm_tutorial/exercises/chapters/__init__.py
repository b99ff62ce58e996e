"""The exercises of the course, a module a chapter, named after its stem."""
