"""Find red cells, white cells and platelets in smear fields of any camera and magnification."""
