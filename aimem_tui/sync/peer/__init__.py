"""Two machines without a relay: how they find each other, get to trust each other, and connect.

``tls`` is the certificate of this device, ``pairing`` how two people make sure that nobody stands
between them, ``admission`` who may come in afterwards, ``discovery`` who is on the network, and
``listener`` the side that answers.
"""
