"""What the stages, a program or a person look things up with: papers, documentation, data sets, models, code, the web.

Each area is a package of its own with an `AREA`: its operations as records, from which both the tool that an engineer
calls and the commands of `trainwright lookup` are made. Everything here only reads.
"""
